"""Where API and pages hand in what is asked: who may, how often, does it fit; one way for both."""
