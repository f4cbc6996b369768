// Small charts as SVG, and numbers for people.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 150;
const LEFT = 48;
const BOTTOM = 6;
const TOP = 10;

/** An element of SVG with these attributes. */
function shape(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A whole number as it is, and another with three significant digits. */
export function short(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size >= 1000 || Number.isInteger(value)) return Math.round(value).toLocaleString("en");
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return value.toPrecision(size < 0.001 ? 2 : 3).replace(/e-0?/, "e−");
}

/** The next of 1, 2 and 5 times a power of ten. */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((limit) => limit >= value) ?? value;
}

/**
 * Draws points as a line into an SVG element: `points` are [value or null, is it lost]. A gap is a frame without a value;
 * a lost frame is a mark at the bottom.
 */
export function draw(svg, points, unit, name) {
  // One unit is one px of the screen, so that letters have their size at any width.
  const width = svg.clientWidth || 600;
  const values = points.map(([value]) => value).filter((value) => value !== null);
  const sorted = [...values].sort((one, other) => one - other);
  // A single outlier does not flatten the rest: it is cut off at the top.
  const high = sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] * 1.15 : 1;
  const top = ceiling(high > 0 ? high : 1);
  const x = (place) => LEFT + ((width - LEFT - 4) * (place + 0.5)) / Math.max(points.length, 60);
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(value, top) / top);
  const parts = [0, 0.5, 1].flatMap((share) => [
    shape("path", { class: "grid", d: `M${LEFT} ${y(share * top)}H${width}` }),
    shape("text", { class: "scale", x: LEFT - 6, y: y(share * top) + 4 }, short(share * top)),
  ]);
  let line = "";
  let isDrawing = false;
  points.forEach(([value], place) => {
    if (value !== null) line += `${isDrawing ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
    isDrawing = value !== null;
  });
  const lost = points.map(([, isLost], place) => (isLost ? `M${x(place).toFixed(1)} ${HEIGHT - BOTTOM}v-12` : ""));
  parts.push(shape("path", { class: "line", d: line || `M${LEFT} ${y(0)}` }));
  parts.push(shape("path", { class: "lost", d: lost.join("") || `M${LEFT} ${y(0)}` }));
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  const last = values.length ? `${short(values[values.length - 1])} ${unit}` : "nothing yet";
  svg.setAttribute("aria-label", `${name}, the last ${points.length} frames: now ${last}, scale to ${short(top)} ${unit}`);
  svg.replaceChildren(...parts);
}
