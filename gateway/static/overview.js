// Makes the first page of a large home live: every room in sums, as the stream tells them.

import { paintTimes } from "./cards.js";
import { isLinked, link, lockdown } from "./frame.js";
import { listen } from "./listen.js";
import { renewing } from "./renewing.js";
import { paintAllHeard, paintLost, paintSentences, paintSum, showFound, tiles } from "./tiles.js";
import { say } from "./tongue.js";

const MINUTE = 60_000;
const main = document.querySelector("main[data-live]");
let told = new Set();

const changed = renewing(main, {
  drawn: (root) => [root.dataset.order, ...tiles(root).map(({ dataset: d }) => `${d.room} ${d.name} ${d.hidden}`).sort()].join("\n"),
  put(fresh) {
    const [focused, typed] = [document.activeElement, document.getElementById("find").value];
    const room = focused?.closest?.(".tile")?.dataset.room;
    main.dataset.order = fresh.dataset.order;
    main.replaceChildren(...fresh.childNodes);
    offerToFind(typed);
    if (focused?.id === "find") document.getElementById("find").focus();
    if (room) document.querySelector(`.tile[data-room="${CSS.escape(room)}"] a`)?.focus();
    if (isLinked("lost")) return paintLost();
    paintAllHeard();
    paintSentences();
  },
});

/** The field is of use with a script alone. */
function offerToFind(typed) {
  const field = document.getElementById("find");
  field.value = typed;
  field.closest(".find").hidden = false;
  field.addEventListener("input", showFound);
  showFound();
}

const on = {
  event(name, data) {
    if (name === "hello") told = new Set();
    else if (name === "sum") {
      told.add(data.room);
      if (!paintSum(data)) changed();
      if (isLinked("live")) paintSentences();
    } else if (name === "order") {
      if (data.rooms.join(" ") !== main.dataset.order) changed();
    } else if (name === "lockdown") lockdown(data.active);
    else if (name === "ready") {
      link("live", say("Live"));
      paintSentences();
      if (tiles().some((found) => !told.has(found.dataset.room))) changed();
    }
  },
  lost() {
    link("lost", say("Reconnecting…"));
    paintLost();
  },
  signedOut() {
    link("lost", say("Signed out"));
    paintLost();
    location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  },
};

link("connecting", say("Connecting…"));
offerToFind("");
setInterval(paintTimes, MINUTE);
if ("guest" in main.dataset) setInterval(changed, MINUTE); // a grant begins and ends without any event
listen({ rooms: [], sums: true, audit: false }, on);
