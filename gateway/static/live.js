// Makes the home and the rooms live: the stream's events onto the cards, the forms' presses to the API.

import { card, drawing, fits, paintAvailability, paintHeadline, paintHeard, paintReconnecting, paintState, paintTimes, section, sections } from "./cards.js";
import { isLinked, link, lockdown } from "./frame.js";
import { heardLately, paintLately } from "./lately.js";
import { listen } from "./listen.js";
import { keepTold } from "./messages.js";
import { showLevels, takeForms } from "./press.js";
import { renewing } from "./renewing.js";
import { say } from "./tongue.js";
import { countDown } from "./waits.js";
import { heardCommand } from "./wish.js";

const MINUTE = 60_000;
const main = document.querySelector("main[data-live]");
let told = new Set();

const changed = renewing(main, {
  isBusy: () => document.getElementById("confirmation").open || main.querySelector("[aria-busy=true]"),
  seen(fresh) {
    main.dataset.csrf = fresh.dataset.csrf;
    main.dataset.order = fresh.dataset.order ?? "";
  },
  drawn: (root) => sections(root).map(drawing).join("\n\n"),
  put(fresh) {
    const focused = document.activeElement?.closest?.(".device")?.id;
    const within = document.activeElement?.closest?.(".more") ? "summary" : "button";
    const open = [...main.querySelectorAll(".more[open]")].map((it) => it.closest(".device").id);
    const away = [...main.querySelectorAll(".put-away[open]")].map((it) => it.closest("[data-room]")?.dataset.room);
    keepTold(main, () => main.replaceChildren(...fresh.childNodes));
    showLevels(main);
    paintLately();
    for (const id of open) document.getElementById(id)?.querySelector(".more")?.setAttribute("open", "");
    for (const it of main.querySelectorAll(".put-away")) it.open ||= away.includes(it.closest("[data-room]")?.dataset.room);
    if (focused) document.getElementById(focused)?.querySelector(within)?.focus();
    if (isLinked("lost")) return paintReconnecting();
    paintHeard();
    paintHeadline();
  },
});

const on = {
  event(name, data) {
    if (name === "hello") told = new Set();
    else if (name === "description") {
      told.add(data.room);
      if (!fits(data) && (main.dataset.page === "home" || section(data.room))) changed();
    } else if (name === "order") {
      if (main.dataset.page === "home" && data.rooms.join(" ") !== main.dataset.order) changed();
    } else if (name === "availability") {
      paintAvailability(data.room, data.status);
      paintHeadline();
    } else if (name === "state") {
      paintState(data.room, data.device, data.state);
      const found = card(data.room, data.device);
      if (found) heardLately(found, section(data.room), data.state);
      if (isLinked("live")) paintHeadline();
    } else if (name === "lockdown") lockdown(data.active);
    else if (name === "command") heardCommand(data);
    else if (name === "ready") {
      link("live", say("Live"));
      paintHeadline();
      if (sections().some((found) => !told.has(found.dataset.room))) changed();
    }
  },
  lost() {
    link("lost", say("Reconnecting…"));
    paintReconnecting();
  },
  signedOut() {
    link("lost", say("Signed out"));
    paintReconnecting();
    location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  },
};

link("connecting", say("Connecting…"));
takeForms(main);
countDown(main);
setInterval(paintTimes, MINUTE);
setInterval(paintLately, MINUTE);
if ("guest" in main.dataset) setInterval(changed, MINUTE); // a grant begins and ends without any event
listen({ rooms: main.dataset.page === "home" ? null : sections().map((found) => found.dataset.room), sums: false, audit: false }, on);
