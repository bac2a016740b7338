// What scripts say, in the page's language: sentences are written in English where they are said, and words.de.js, which a
// page in German runs before any other script, has taught this module what they are called there.

const language = document.documentElement.lang;
const WORDS = new Map();
export const LOCALE = language === "en" ? "en-GB" : language; // a week that begins on Monday, and a day of 24 hours

/** What sentences are in the page's language; of a plural one, a list of both. */
export function teach(sentences) {
  for (const [sentence, said] of Object.entries(sentences)) WORDS.set(sentence, said);
}

/** A sentence with its gaps filled; what fills one is never read as a sentence. */
export function say(sentence, gaps = {}) {
  return filled(WORDS.get(sentence) ?? sentence, gaps);
}

/** The sentence for so many; {count} is a gap of each. */
export function sayMany(one, many, count, gaps = {}) {
  const forms = WORDS.get(one) ?? [one, many];
  return filled(forms[count === 1 ? 0 : 1], { count, ...gaps });
}

/** Marks a sentence of a table, which is said where it is used. */
export const later = (sentence) => sentence;

/** A number as the language writes it, with so many digits after its decimal sign. */
export function number(value, digits = 0) {
  const sign = (0.5).toLocaleString(LOCALE).charAt(1);
  const text = value.toFixed(digits).replace(".", sign);
  return Number(value.toFixed(digits)) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** What went wrong, in the page's language as far as it is known: the API speaks English. Its words come when they are needed. */
export async function problem({ title = "", detail = "" }) {
  if (language !== "en" && !(WORDS.has(title) && WORDS.has(detail))) {
    await import(`./problems.${language}.js`).catch(() => {}); // the hub is away: in English, then
  }
  return { title: say(title), detail: say(detail) };
}

function filled(sentence, gaps) {
  return sentence.replace(/\{(\w+)\}/g, (gap, name) => (name in gaps ? gaps[name] : gap));
}
