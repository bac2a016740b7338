// Says on the authority's page whether this browser trusts the home already, where that can be found out.

import { trusts } from "./passkeys.js";

const place = document.getElementById("trust");

if (place) say();

async function say() {
  place.hidden = true; // while it is not known yet whether it can be found out
  const found = await trusts();
  place.hidden = false;
  if (found === null) return; // the page says that it could not be found out
  place.querySelector("p").textContent = found ? place.dataset.trusted : place.dataset.untrusted;
  const drawing = place.querySelector("use");
  drawing.setAttribute("href", drawing.getAttribute("href").replace(/#.*/, found ? "#check" : "#alert"));
  place.className = `said ${found ? "good" : "bad"}`;
}
