// The page of a listening client: the browser's camera is the source.

import { Source } from "./source.js";

const at = (id) => document.getElementById(id);

/** Frames that may be unanswered at a time: one is processed while the next one comes. */
const WINDOW = 2;

/** Answers of the last frames, for the latency. */
const TIMED = 300;

/** Decimals of a position that is shown. */
const DECIMALS = 2;

/** Writes the pixels of a picture (RGBA) in a form of the wire. */
const FORMS = {
  gray8: (rgba, bytes) => {
    // As OpenCV's COLOR_BGR2GRAY: the weights of the client.
    for (let place = 0, from = 0; place < bytes.length; place++, from += 4) {
      bytes[place] = (9798 * rgba[from] + 19235 * rgba[from + 1] + 3735 * rgba[from + 2] + 16384) >> 15;
    }
  },
  bgr8: (rgba, bytes) => {
    for (let place = 0, from = 0; place < bytes.length; place += 3, from += 4) {
      bytes[place] = rgba[from + 2];
      bytes[place + 1] = rgba[from + 1];
      bytes[place + 2] = rgba[from];
    }
  },
};

const CHANNELS = { gray8: 1, bgr8: 3 };

/** The picture of bytes of the wire; `null` if they are of no form that this page shows. */
function picture({ width, height, pixel, encoding, data }) {
  const channels = CHANNELS[pixel];
  if (encoding !== "raw" || !channels || data?.length !== width * height * channels) return null;
  const image = new ImageData(width, height);
  for (let place = 0, from = 0; place < image.data.length; place += 4, from += channels) {
    image.data[place] = data[from + channels - 1];
    image.data[place + 1] = data[from + (channels >> 1)];
    image.data[place + 2] = data[from];
    image.data[place + 3] = 255;
  }
  return image;
}

/** A value of an ordered list. */
const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];

const shown = (value) => (Number.isFinite(value) ? value.toFixed(DECIMALS) : "–");

/** A camera that is sent, until it is stopped or the session ends. */
class Sending {
  constructor({ task, width, pixel, rate, token }) {
    Object.assign(this, { task, width, pixel, rate, token });
    this.counts = { sent: 0, answered: 0, none: 0, dropped: 0, lost: 0, skipped: 0 };
    this.latencies = [];
    this.kept = new Map();
    this.hasEnded = false;
    // Figures and answer of the last session are no longer true.
    this.began = performance.now();
    this.show();
    at("said").textContent = "";
    at("answer").hidden = true;
    this.begin().catch((error) => this.end(`${error.name}: ${error.message}`));
  }

  async begin() {
    say("waiting for the camera");
    if (!navigator.mediaDevices) throw new Error("a browser gives its camera only to this machine or inside TLS: open the page by https");
    const wanted = { width: { ideal: this.width }, frameRate: { ideal: this.rate } };
    this.camera = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    if (this.hasEnded) return this.release();
    this.video = document.createElement("video");
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.srcObject = this.camera;
    await this.video.play();
    const { videoWidth, videoHeight } = this.video;
    this.height = Math.max(1, Math.round((this.width * videoHeight) / videoWidth));
    this.canvas = new OffscreenCanvas(this.width, this.height);
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    const { width, height, pixel, rate, task } = this;
    const stream = { width, height, pixel, rate_hz: rate, window: WINDOW, delivery: "reliable", encoding: "raw", task };
    say("connecting");
    this.source = new Source(
      stream,
      {
        opened: () => {
          say("sending");
          this.began = performance.now();
          this.timer = setInterval(() => this.look(), 1000 / rate);
        },
        answered: (...answer) => this.answered(...answer),
        lost: (id) => {
          this.counts.lost++;
          this.kept.delete(id);
          this.show();
        },
        ended: (reason) => this.end(reason),
      },
      this.token,
    );
  }

  /** Sends the camera's picture, if it is a new one and the client has room for it. */
  look() {
    const { currentTime } = this.video;
    if (currentTime === this.last) return;
    this.last = currentTime;
    if (!this.source.hasRoom) {
      this.counts.skipped++;
      return;
    }
    this.context.drawImage(this.video, 0, 0, this.width, this.height);
    const image = this.context.getImageData(0, 0, this.width, this.height);
    const bytes = new Uint8Array(this.width * this.height * CHANNELS[this.pixel]);
    FORMS[this.pixel](image.data, bytes);
    this.kept.set(this.source.frame(bytes), image);
    this.counts.sent++;
  }

  answered(id, answer, milliseconds) {
    const { counts, latencies } = this;
    const image = this.kept.get(id);
    this.kept.delete(id);
    if (answer.kind === "dropped") counts.dropped++;
    else counts.answered++;
    if (answer.kind === "none") counts.none++;
    latencies.push(milliseconds);
    if (latencies.length > TIMED) latencies.shift();
    this.draw(image, answer);
    this.show();
  }

  /** Shows a frame with its answer. */
  draw(image, answer) {
    const frame = at("frame");
    [frame.width, frame.height] = [image.width, image.height];
    const context = frame.getContext("2d");
    context.putImageData(image, 0, 0);
    const back = answer.kind === "image" ? picture(answer) : null;
    at("answer").hidden = !back;
    at("said").textContent = said(answer, back);
    Object.assign(at("said").dataset, { kind: answer.kind, x: answer.x ?? "", y: answer.y ?? "" });
    if (back) {
      [at("answer").width, at("answer").height] = [back.width, back.height];
      at("answer").getContext("2d").putImageData(back, 0, 0);
    }
    if (answer.kind === "circle") {
      context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--estimate");
      context.lineWidth = Math.max(2, image.width / 320);
      context.beginPath();
      // The centre of a pixel is half a pixel from its corner, where a canvas begins.
      context.arc(answer.x + 0.5, answer.y + 0.5, answer.radius ?? 4, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  show() {
    const sorted = [...this.latencies].sort((one, other) => one - other);
    const seconds = (performance.now() - this.began) / 1000;
    const figures = {
      ...this.counts,
      fps: this.counts.answered / seconds,
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
    };
    for (const [name, value] of Object.entries(figures)) {
      const place = document.querySelector(`[data-figure="${name}"]`);
      place.textContent = Number.isInteger(value) ? value : shown(value);
    }
  }

  stop() {
    if (this.source) this.source.leave("stopped in the page");
    else this.end("stopped in the page");
  }

  release() {
    clearInterval(this.timer);
    for (const track of this.camera?.getTracks() ?? []) track.stop();
  }

  end(reason) {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.release();
    say(`ended: ${reason}`);
    at("stop").disabled = true;
    at("go").disabled = false;
  }
}

/** An answer in words. */
function said(answer, back) {
  switch (answer.kind) {
    case "circle":
      return `circle at ${shown(answer.x)}, ${shown(answer.y)} px` + (answer.radius ? `, radius ${shown(answer.radius)} px` : "");
    case "none": return "no circle";
    case "count": return `count ${answer.count}`;
    case "ack": return `code ${answer.code}`;
    case "image": return back ? `picture of ${back.width}x${back.height}` : "a picture of a form that this page does not show";
    default: return answer.kind;
  }
}

function say(text) {
  at("status").textContent = text;
}

let sending = null;

at("form").onsubmit = (event) => {
  event.preventDefault();
  if (sending && !sending.hasEnded) return;
  at("go").disabled = true;
  at("stop").disabled = false;
  sending = new Sending({
    task: at("task").value,
    width: Number(at("width").value),
    pixel: at("pixel").value,
    rate: Number(at("rate").value),
    token: at("token").value,
  });
};
at("stop").onclick = () => sending?.stop();
addEventListener("pagehide", () => sending?.hasEnded === false && sending.stop());
