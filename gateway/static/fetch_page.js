// One of our pages, fetched anew and quietly, to be put into the one that is open.

const PATIENCE = 10_000; // milliseconds; what does not come keeps a connection from what may

/** `{ response, page }`, the page null where it is none to show; null altogether where the hub did not answer in time. */
export async function fetchPage(address) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE);
  try {
    const response = await fetch(address, { cache: "no-store", headers: { Accept: "text/html" }, signal: late.signal });
    const text = response.ok ? await response.text() : null;
    return { response, page: text === null ? null : new DOMParser().parseFromString(text, "text/html") };
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}
