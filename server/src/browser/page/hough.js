// The detector `hough`, as WebAssembly in a worker of its own. It gets the messages that the worker of a typed pipeline gets.
// This file alone may compile WebAssembly (assets.rs).

const compiled = WebAssembly.compileStreaming(fetch("/hough.wasm"));
const told = (id, error) => postMessage({ id, error: String(error.message ?? error) });

/** The module's functions, and its memory. */
let hough = null;

async function start() {
  hough = (await WebAssembly.instantiate(await compiled)).exports;
}

/** Looks at a frame. */
function answer(task, { width, height, data }) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const at = hough.room(width, height, bytes.length / (width * height));
  if (at === 0) throw new Error(`hough takes no frame of ${width}x${height}`);
  new Uint8Array(hough.memory.buffer, at, bytes.length).set(bytes);
  if (task === "count") return hough.count();
  return hough.circle() ? { x: hough.x(), y: hough.y(), radius: hough.radius() } : null;
}

onmessage = async ({ data: { id, task, frame } }) => {
  try {
    if (!hough) await start();
    postMessage({ id, answer: answer(task, frame) });
  } catch (error) {
    // What a module holds after a failure is not known: the next frame gets another.
    hough = null;
    told(id, error);
  }
};

start().then(
  () => postMessage({ ready: true }),
  (error) => told(null, error),
);
