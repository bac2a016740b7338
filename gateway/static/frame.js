// What the frame around a live page shows: how far the page can be believed, and whether the home is locked down.

const light = document.getElementById("live");

/** On the lamp in the corner: connecting, live or lost. */
export function link(state, text) {
  document.body.dataset.link = state;
  light.querySelector(".text").textContent = text;
}

export const isLinked = (state) => document.body.dataset.link === state;

/** The banner, and how the buttons look that it forbids. */
export function lockdown(active) {
  document.body.dataset.lockdown = active;
  document.getElementById("lockdown").hidden = !active;
}
