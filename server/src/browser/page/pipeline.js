// The pipeline in the page: the text, or `hough`, becomes a worker, which gets each frame and gives its answer.

import { Client } from "./client.js";
import { unlz4 } from "./lz4.js";

/** How long a frame may take, in ms. A worker that takes longer is ended, and another one started. */
const LIMIT = 1000;

/** How long the text may take until it is a function, and `hough` until it is loaded, in ms. */
const START_LIMIT = 5000;

/** What is chosen in place of a text. */
export const HOUGH = { worker: "/hough.js", tasks: ["circle", "count"] };

/** Answers of the last frames, for the time of a frame. */
const TIMED = 120;

/** Our pipelines, by task. */
export const EXAMPLES = {
  circle: `// The centre of everything that is brighter than the background.
(frame) => {
  const { width, height, channels, data } = frame;
  let low = Infinity, high = 0;
  for (let i = 0; i < data.length; i++) {
    if (data[i] < low) low = data[i];
    if (data[i] > high) high = data[i];
  }
  const floor = low + (high - low) / 4;
  let sum = 0, sumX = 0, sumY = 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += channels) {
      const weight = data[i] - floor;
      if (weight > 0) { sum += weight; sumX += weight * x; sumY += weight * y; }
    }
  }
  if (sum === 0) return null;
  return { x: sumX / sum, y: sumY / sum, radius: Math.sqrt(sum / (high - floor) / Math.PI) };
}`,
  count: `// The number of bright regions.
(frame) => {
  const { width, height, channels, data } = frame;
  const seen = new Uint8Array(width * height), stack = [];
  let count = 0;
  const isBall = (i) => !seen[i] && data[i * channels] > 110;
  for (let start = 0; start < seen.length; start++) {
    if (!isBall(start)) continue;
    count++;
    seen[start] = 1;
    stack.push(start);
    while (stack.length) {
      const i = stack.pop(), x = i % width;
      for (const next of [x > 0 && i - 1, x < width - 1 && i + 1, i - width, i + width]) {
        if (next !== false && next >= 0 && next < seen.length && isBall(next)) { seen[next] = 1; stack.push(next); }
      }
    }
  }
  return count;
}`,
  ack: `// A code for each frame: here, how bright its centre is.
(frame) => frame.data[Math.floor(frame.data.length / 2)]`,
  image: `// The negative of the frame.
(frame) => ({ ...frame, data: frame.data.map((value) => 255 - value) })`,
};

/** Most bytes of a frame: 8192 x 8192 in colour. */
const MOST = 8192 * 8192 * 3;

/** Channels, and bytes of each. */
const BYTES = { gray8: [1, 1], bgr8: [3, 1], gray16: [1, 2] };

/** The worker's own code around the text. */
const around = (typed) => `const pipeline = (
${typed}
);
const told = (id, error) => postMessage({ id, error: error instanceof Error ? error.name + ": " + error.message : String(error) });
onmessage = async ({ data: { id, frame } }) => {
  try {
    postMessage({ id, answer: await pipeline(frame) });
  } catch (error) {
    told(id, error);
  }
};
if (typeof pipeline === "function") postMessage({ ready: true });
else told(null, "the text is no function of a frame: write (frame) => ({x, y, radius})");
`;

const isReal = (value) => typeof value === "number" && Math.abs(value) <= 1e6;
const said = (value) => {
  try {
    return String(JSON.stringify(value) ?? value).slice(0, 80);
  } catch {
    return typeof value;
  }
};

/** Kind and fields of a pipeline's answer. Throws if it is none of the task. */
function payload(task, answer) {
  const wrong = (right) => new Error(`the pipeline answered ${said(answer)}: ${right}`);
  switch (task) {
    case "count":
      if (!Number.isInteger(answer) || answer < 0 || answer > 1e6) throw wrong("a count is a whole number from 0");
      return ["count", { count: answer }];
    case "ack":
      if (!Number.isSafeInteger(answer)) throw wrong("a code is a whole number");
      return ["ack", { code: answer }];
    case "image": {
      const { width, height, pixel, data } = answer ?? {};
      const [channels, bytes] = BYTES[pixel] ?? [];
      if (!ArrayBuffer.isView(data) || data.byteLength !== width * height * channels * bytes) {
        throw wrong("an image is {width, height, pixel, data}, with data in rows");
      }
      const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return ["image", { width, height, pixel, encoding: "raw", data: raw }];
    }
    default: {
      if (answer === null || answer === undefined) return ["none", {}];
      const { x, y, radius } = answer;
      if (!isReal(x) || !isReal(y) || !(radius === undefined || radius === null || isReal(radius))) {
        throw wrong("a circle is {x, y, radius}, and null if there is none");
      }
      return ["circle", { x, y, radius: radius ?? undefined }];
    }
  }
}

/** What the pipeline gets of a frame; `null` if this page cannot read it. */
function toPipeline({ id, width, height, pixel, encoding, data }) {
  const [channels, bytes] = BYTES[pixel] ?? [];
  const size = width * height * channels * bytes;
  if (!(size > 0 && size <= MOST) || !(data instanceof Uint8Array)) return null;
  if (encoding !== "lz4" && (encoding !== "raw" || data.length !== size)) return null;
  const pixels = encoding === "lz4" ? unlz4(data, size) : data;
  // Values of two bytes begin at an even place of their memory.
  const values = bytes === 2 ? new Uint16Array((encoding === "lz4" ? pixels : pixels.slice()).buffer) : pixels;
  return { id, width, height, pixel, channels, data: values };
}

/**
 * A run of a typed text or of `HOUGH`, until it is stopped or the session ends. `told(state)` is called when something
 * changes.
 */
export class Run {
  constructor(chosen, token, told) {
    this.chosen = chosen;
    this.told = told;
    this.state = { frames: 0, answered: 0, dropped: 0, errors: 0, restarts: 0, error: "", status: "connecting", ended: false };
    this.waiting = [];
    this.times = [];
    this.start();
    this.client = new Client(
      {
        opened: (stream) => {
          this.stream = stream;
          if (chosen === HOUGH && !HOUGH.tasks.includes(this.task)) return this.failed(`hough does not do the task ${this.task}`);
          this.change({ status: "running" });
        },
        frame: (frame) => this.frame(frame),
        ended: (reason) => this.stop(reason),
      },
      token,
    );
  }

  /** Ends the run. */
  leave() {
    this.client.leave("stopped in the page");
  }

  get task() {
    return this.stream.task ?? "circle";
  }

  /** The median time of the pipeline for a frame, in ms. */
  get milliseconds() {
    const sorted = [...this.times].sort((one, other) => one - other);
    return sorted[sorted.length >> 1];
  }

  start() {
    const isHough = this.chosen === HOUGH;
    const address = isHough
      ? HOUGH.worker
      : URL.createObjectURL(new Blob([around(this.chosen)], { type: "text/javascript" }));
    this.worker = new Worker(address, { type: "module" });
    this.isReady = false;
    const silent = isHough ? "hough does not load" : "the text runs and runs, and gives no function";
    this.timer = setTimeout(() => this.failed(silent), START_LIMIT);
    this.worker.onmessage = ({ data }) => {
      if (data.ready) {
        clearTimeout(this.timer);
        if (!isHough) URL.revokeObjectURL(address);
        this.isReady = true;
        this.next();
      } else if (data.id === null) this.failed(data.error);
      else this.answered(data);
    };
    // A text that is no JavaScript, or a worker that does not load.
    this.worker.onerror = (event) => {
      event.preventDefault();
      if (isHough) return this.failed(silent);
      const place = event.lineno > 1 ? ` (line ${event.lineno - 1})` : "";
      this.failed(`${event.message ?? "the text is no JavaScript"}${place}`);
    };
  }

  /** The text cannot run: there is nothing to go on with. */
  failed(error) {
    if (this.state.ended) return;
    this.change({ errors: this.state.errors + 1, error });
    this.client.leave("the pipeline does not start");
  }

  frame(frame) {
    this.state.frames++;
    // More wait only with live delivery, whose server goes on although frames are not answered.
    const { window } = this.stream;
    if (this.waiting.length >= window) return this.drop(frame, `the pipeline is too slow: ${window} frames wait for it already`);
    let given = null;
    try {
      given = toPipeline(frame);
    } catch (error) {
      return this.drop(frame, error.message);
    }
    if (!given) return this.drop(frame, "a frame of a form that this page does not read");
    this.waiting.push({ frame, given });
    this.next();
  }

  next() {
    if (this.busy || !this.isReady || !this.waiting.length) return;
    const { frame, given } = this.waiting.shift();
    frame.started_us = Math.round(performance.now() * 1000);
    this.busy = frame;
    this.timer = setTimeout(() => this.late(), LIMIT);
    // The bytes go to the worker, and are not copied.
    this.worker.postMessage({ id: frame.id, task: this.task, frame: given }, [given.data.buffer]);
  }

  answered({ id, answer, error }) {
    const frame = this.busy;
    if (frame?.id !== id) return;
    clearTimeout(this.timer);
    this.busy = null;
    const finished_us = Math.round(performance.now() * 1000);
    this.times.push((finished_us - frame.started_us) / 1000);
    if (this.times.length > TIMED) this.times.shift();
    try {
      if (error !== undefined) throw new Error(error);
      const [kind, fields] = payload(this.task, answer);
      const { received_us, started_us } = frame;
      this.client.answer(frame.id, kind, fields, { received_us, started_us, finished_us });
      this.change({ answered: this.state.answered + 1 });
    } catch (wrong) {
      this.drop(frame, wrong.message);
    }
    this.next();
  }

  /** The pipeline takes too long: another worker goes on. The frames that waited meanwhile are old, and are dropped too. */
  late() {
    const frames = [this.busy, ...this.waiting.map(({ frame }) => frame)];
    this.busy = null;
    this.waiting = [];
    this.worker.terminate();
    this.state.restarts++;
    for (const frame of frames) this.drop(frame, `the pipeline did not answer within ${LIMIT} ms: it was ended and started again`);
    this.start();
  }

  drop(frame, error) {
    this.client.answer(frame.id, "dropped", {}, { received_us: frame.received_us });
    this.change({ dropped: this.state.dropped + 1, errors: this.state.errors + 1, error });
  }

  stop(reason) {
    clearTimeout(this.timer);
    this.worker.terminate();
    this.waiting = [];
    this.busy = null;
    this.isReady = false;
    this.change({ status: `ended: ${reason}`, ended: true });
  }

  change(change) {
    Object.assign(this.state, change);
    this.told(this.state);
  }
}
