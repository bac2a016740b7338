// Has the browser keep the page that says that the home is away (service-worker.js). Where it refuses, as Chromium does while
// it does not trust the hub's certificate, nothing is kept and nothing is said: the pages are the same.

const address = new URLSearchParams({ in: document.documentElement.lang, files: new URL(".", import.meta.url).pathname });

sessionStorage.removeItem("unreached-since"); // of offline.js: here is a page of the home's, so it can be reached
navigator.serviceWorker?.register(`/service-worker.js?${address}`, { scope: "/" }).catch(() => {});
