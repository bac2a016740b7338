// The shell: where the home cannot be reached, an honest page says so. It keeps that page and what it is drawn with, which
// are the same for everyone, and no page or answer besides: nothing here knows a person, a device or a state.
//
// Its address says in which language, and where this version's static files are: another one is another worker.

const asked = new URL(location).searchParams;
const LANGUAGE = asked.get("in") ?? "en";
const FILES = /^\/static\/[0-9a-f]{16}\/$/.exec(asked.get("files") ?? "")?.[0] ?? "/static/0000000000000000/";
const OFFLINE = "/offline";
const NAME = `shell ${LANGUAGE} ${FILES}`;
const DRAWN_WITH = ["colours.css", "home.css", "sheets.css", "icons.svg", "icon.svg", "home.webmanifest", "offline.js", "tongue.js"];
if (LANGUAGE !== "en") DRAWN_WITH.push(`words.${LANGUAGE}.js`);

self.addEventListener("install", (event) => {
  event.waitUntil(keep());
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers());
});

self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  if (method !== "GET") return;
  if (mode === "navigate") event.respondWith(fetch(event.request).catch(kept));
  else if (DRAWN_WITH.some((name) => url === location.origin + FILES + name)) event.respondWith(file(event.request));
});

/** Without a cookie: it is the page that anybody gets. */
async function keep() {
  const shell = await caches.open(NAME);
  const page = await fetch(OFFLINE, { credentials: "omit", cache: "no-store", headers: { "Accept-Language": LANGUAGE } });
  if (!page.ok || page.redirected) throw new Error(`the page for when the home is away answers ${page.status}`);
  await shell.put(OFFLINE, page);
  await shell.addAll(DRAWN_WITH.map((name) => new Request(FILES + name, { credentials: "omit" })));
}

async function forgetOthers() {
  for (const name of await caches.keys()) if (name !== NAME) await caches.delete(name);
}

async function kept() {
  return (await (await caches.open(NAME)).match(OFFLINE)) ?? Response.error();
}

async function file(request) {
  return (await (await caches.open(NAME)).match(request.url)) ?? fetch(request);
}
