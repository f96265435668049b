// Puts numbers on the boxes of a journey's picture.

/** A number for the box of a step, and where a click on it leads. */
export interface Badge {
  count: number;
  label: string;
  href: string;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * Returns the picture as an element, with a badge on each box that has one. The API labels the boxes by the place of
 * their steps: "1", "2" and so on, in the order of `steps(orderBy: [{ field: POSITION }])`.
 */
export function marked(picture: string, badges: readonly (Badge | undefined)[]): Element {
  const svg = document.importNode(new DOMParser().parseFromString(picture, "image/svg+xml").documentElement, true);
  for (const [index, badge] of badges.entries()) {
    const box = svg.querySelector(`g[role=group][aria-label="${index + 1}"] > rect.box`);
    if (badge !== undefined && box !== null) svg.append(drawn(badge, box));
  }
  return svg;
}

/** A link with the number, on the upper right corner of the box. */
function drawn({ count, label, href }: Badge, box: Element): Element {
  const [x, y, width] = ["x", "y", "width"].map((name) => Number(box.getAttribute(name)));
  const text = String(count);
  const wide = 18 + 9 * text.length;
  const link = node("a", { href, class: "badge", "aria-label": label });
  link.append(
    node("rect", { x: x! + width! - wide / 2, y: y! - 14, width: wide, height: 28, rx: 14 }),
    node("text", { x: x! + width!, y: y! + 5, "text-anchor": "middle", "aria-hidden": "true" }, text),
  );
  return link;
}

function node(name: string, attributes: Record<string, string | number>, text = ""): Element {
  const made = document.createElementNS(SVG, name);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.textContent = text;
  return made;
}
