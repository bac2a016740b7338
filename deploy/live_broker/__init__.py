"""The broker of this home as it runs: asked, ordered about, and made to take up what was renewed."""
