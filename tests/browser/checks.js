// What the tests look for in every page: run inside of it (tests/browser/use.py).
({
  // Texts that are too faint on what is behind them: WCAG 2 AA, 4.5 to 1, and 3 to 1 for large ones. Controls that are off are exempt.
  faint() {
    const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      return { r, g, b, a: a / 255 };
    };
    const over = (top, under) => {
      const mix = (one) => top[one] * top.a + under[one] * (1 - top.a);
      return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
    };
    const luminance = ({ r, g, b }) => {
      const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const behind = (element) => {
      const layers = [];
      for (let at = element; at; at = at.parentElement) layers.unshift(rgba(getComputedStyle(at).backgroundColor));
      return layers.reduce((under, top) => over(top, under), rgba("Canvas"));
    };
    const opacity = (element) => {
      let all = 1;
      for (let at = element; at; at = at.parentElement) all *= Number(getComputedStyle(at).opacity);
      return all;
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || !element.checkVisibility({ visibilityProperty: true }) || element.closest(":disabled, [aria-disabled=true], noscript, option")) continue;
      const box = element.getBoundingClientRect();
      if (box.width < 2 || box.height < 2) continue; // for screen readers only
      const style = getComputedStyle(element);
      const under = behind(element);
      const ink = rgba(element.closest("svg") ? style.fill : style.color);
      const [light, dark] = [luminance(over({ ...ink, a: ink.a * opacity(element) }, under)), luminance(under)].sort((a, b) => b - a);
      const ratio = (light + 0.05) / (dark + 0.05);
      const pixels = parseFloat(style.fontSize);
      const isLarge = pixels >= 24 || (pixels >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (isLarge ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} to 1: ${node.data.trim().slice(0, 40)} (${element.tagName.toLowerCase()}.${element.className})`);
    }
    return [...new Set(found)];
  },

  // Wider than the window: what sticks out.
  wide() {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > width + 1)
      .map((one) => `${one.tagName.toLowerCase()}.${one.className} to ${Math.round(one.getBoundingClientRect().right)} of ${width}`).slice(0, 20);
  },

  // What moves although the person has asked for less of it.
  moving() {
    const long = (text) => text.split(",").some((one) => parseFloat(one) * (one.includes("ms") ? 0.001 : 1) > 0.02);
    return [...document.querySelectorAll("*")].filter((one) => {
      const style = getComputedStyle(one);
      return long(style.transitionDuration) || (style.animationName !== "none" && long(style.animationDuration));
    }).map((one) => `${one.tagName.toLowerCase()}.${one.className}`);
  },

  // Identifiers that two elements have, and ids that labels and lists point to in vain.
  astray() {
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    const twice = ids.filter((one, place) => ids.indexOf(one) !== place).map((one) => `two elements are #${one}`);
    const pointing = ["aria-labelledby", "aria-describedby", "aria-controls", "aria-activedescendant", "for"];
    const vain = pointing.flatMap((name) => [...document.querySelectorAll(`[${name}]`)].flatMap((one) => one.getAttribute(name).split(/\s+/))
      .filter((id) => id && !document.getElementById(id)).map((id) => `${name}=${id} points to nothing`));
    return [...twice, ...vain];
  },
})
