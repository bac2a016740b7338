// What is wrong with a page as it stands in a browser, in words for whoever mends it. Put into the page, in this order,
// by tests/looking.py; takes what sentences must not be read on it, as JSON, and gives a list of findings.

(sentences) => {
  const english = JSON.parse(sentences);
  const found = [];
  const named = (it) => `<${it.localName}> ${(it.ariaLabel || it.textContent || it.name || it.id).trim().replace(/\s+/g, " ").slice(0, 60)}`;
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) {
    const beyond = [...document.querySelectorAll("main *, header *")].filter((it) => it.getBoundingClientRect().right > innerWidth + 1 && it.checkVisibility());
    found.push(`sideways: ${wide} of ${innerWidth}, by ${beyond.length ? named(beyond.at(-1)) : "nothing seen"}`);
  }

  const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const layer = document.querySelector("dialog:modal") ?? document;
  const shown = [...layer.querySelectorAll(controls)].filter((it) => {
    const box = it.getBoundingClientRect();
    return it.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && box.width > 1 && box.height > 1 && !it.matches(".skip");
  });

  // Text that a control or a cell has no room for. A select tells nobody, so its words are measured.
  const pen = document.createElement("canvas").getContext("2d");
  const fits = (it, text) => {
    const style = getComputedStyle(it);
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const room = it.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return pen.measureText(text).width <= room + 1;
  };
  const endOfWords = (it) => { // of those that are seen: neither of a mark that is turned round, nor of what is only read aloud
    const seen = document.createTreeWalker(it, NodeFilter.SHOW_TEXT);
    let end = 0;
    while (seen.nextNode()) {
      if (getComputedStyle(seen.currentNode.parentElement).clipPath !== "none") continue;
      const words = document.createRange();
      words.selectNode(seen.currentNode);
      end = Math.max(end, words.getBoundingClientRect().right);
    }
    return end;
  };
  for (const it of [...shown, ...layer.querySelectorAll("td, th, .chip, legend:not(.hidden)")].filter((one) => one.checkVisibility())) {
    if (it.matches("select")) {
      const cut = [...it.options].find((one) => !fits(it, one.label));
      if (cut) found.push(`cut: <select> ${it.name}: ${cut.label}`);
    } else if (it.matches("input") && it.placeholder && !it.value && !fits(it, it.placeholder)) {
      found.push(`cut: <input> ${it.name}: ${it.placeholder}`);
    } else if (it.matches("input")) {
      if (!it.matches("[type=range], [type=checkbox], [type=radio]") && it.scrollWidth > it.clientWidth + 1) found.push(`cut: ${named(it)}: ${it.value}`);
    } else if (!it.matches("textarea") && getComputedStyle(it).display !== "inline") {
      const beyond = endOfWords(it) - it.getBoundingClientRect().right;
      if (beyond > 1) found.push(`cut: ${named(it)}: by ${Math.round(beyond)}`);
    }
  }

  // Words that are broken where nobody would break them. Names and what is typed may be of any length, addresses too.
  const seenWords = document.createTreeWalker(layer.body ?? layer, NodeFilter.SHOW_TEXT);
  while (seenWords.nextNode()) {
    const { data, parentElement: at } = seenWords.currentNode;
    if (at.closest("bdi, code, script, style, template, svg") || !at.checkVisibility() || getComputedStyle(at).clipPath !== "none") continue;
    for (const word of data.matchAll(/(?<!\S)[^\s\p{L}]*(\p{L}{4,})[^\s\p{L}]*(?!\S)/gu)) {
      const letters = document.createRange();
      const start = word.index + word[0].indexOf(word[1]);
      letters.setStart(seenWords.currentNode, start);
      letters.setEnd(seenWords.currentNode, start + word[1].length);
      const lines = [...letters.getClientRects()].map((one) => one.top);
      if (Math.max(...lines) - Math.min(...lines) > 3) found.push(`broken: ${word[1]} in ${named(at)}`);
    }
  }

  // Things to touch that lie over one another.
  const boxes = shown.map((it) => [it, [...it.getClientRects()].filter((box) => box.width > 1 && box.height > 1)]);
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const floats = (it) => it.closest(".bar");
  boxes.forEach(([one, mine], at) => {
    for (const [two, theirs] of boxes.slice(at + 1)) {
      if (one.contains(two) || two.contains(one) || floats(one) !== floats(two)) continue;
      if (mine.some((a) => theirs.some((b) => meet(a, b)))) found.push(`overlap: ${named(one)} and ${named(two)}`);
    }
  });

  // What is said must not cover what is touched, where the page stands.
  for (const said of layer.querySelectorAll(".said")) {
    const box = said.getBoundingClientRect();
    for (const [it, theirs] of boxes) {
      if (said.contains(it) || it.closest(".bar")) continue;
      if (theirs.some((one) => meet(one, box))) found.push(`covered: ${named(it)} by what is said`);
    }
  }

  // Targets under 24 px, but for links within a sentence, and where a circle of 24 px meets no other (WCAG 2.2, 2.5.8).
  const target = (it) => {
    const label = it.matches("[type=checkbox], [type=radio]") && it.labels?.[0];
    const all = [it, ...(label ? [label] : [])].map((one) => one.getBoundingClientRect());
    const [left, top] = [Math.min(...all.map((b) => b.left)), Math.min(...all.map((b) => b.top))];
    const [right, bottom] = [Math.max(...all.map((b) => b.right)), Math.max(...all.map((b) => b.bottom))];
    return { left, top, right, bottom, width: right - left, height: bottom - top };
  };
  const inSentence = (it) =>
    it.matches("a") && getComputedStyle(it).display === "inline" &&
    [...it.parentElement.childNodes].some((one) => one !== it && one.textContent.trim().length > 1);
  const targets = shown.map((it) => [it, target(it)]);
  for (const [it, box] of targets) {
    if ((box.width >= 24 && box.height >= 24) || inSentence(it)) continue;
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const near = targets.some(([other, b]) => {
      if (other === it || other.contains(it) || it.contains(other)) return false;
      const [dx, dy] = [Math.max(b.left - x, 0, x - b.right), Math.max(b.top - y, 0, y - b.bottom)];
      return Math.hypot(dx, dy) < 12;
    });
    if (near) found.push(`small: ${named(it)} ${Math.round(box.width)} x ${Math.round(box.height)}`);
  }

  // Sentences that are not in the reader's language, and gaps that nobody filled. Names in <bdi> are the home's own.
  const whole = new Set(english.whole);
  const gaps = english.gaps.map((one) => new RegExp(one));
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const at = walker.currentNode.parentElement;
    if (!at.closest("bdi, script, style, template, code, [lang]:not(html)")) texts.push(walker.currentNode.data);
  }
  for (const it of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
    for (const name of ["aria-label", "title", "placeholder", "alt"]) if (it.hasAttribute(name)) texts.push(it.getAttribute(name));
  }
  for (const text of new Set(texts.map((one) => one.replace(/\s+/g, " ").trim()).filter(Boolean))) {
    if (/\{[a-z_]+\}/.test(text)) found.push(`gap: ${text.slice(0, 80)}`);
    if (whole.has(text) || gaps.some((one) => one.test(text))) found.push(`English: ${text.slice(0, 80)}`);
  }
  return found;
}
