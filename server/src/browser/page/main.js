// The page: a dashboard of the server, and a pipeline that runs here.

import { HOUGH_BYTES } from "./build.js";
import { short } from "./charts.js";
import { Dashboard, element } from "./dashboard.js";
import { EXAMPLES, HOUGH, Run } from "./pipeline.js";

const at = (id) => document.getElementById(id);

let run = null;
let task = null;

/** The commands that start a client of this server. */
function commands() {
  const server = location.host.includes(":") ? location.host : `${location.host}:${location.protocol === "https:" ? 443 : 80}`;
  const [host, port] = [server.slice(0, server.lastIndexOf(":")), server.slice(server.lastIndexOf(":") + 1)];
  return [
    ["Plumb's own detector", `client ${server}`],
    ["your program, for each frame", `client ${server} --pipeline 'exec:python3 my_pipeline.py'`],
    ["a client in Python, from the wire up", `python3 examples/tcp_client.py ${host} ${port}`],
  ];
}

function showCommands() {
  at("commands").replaceChildren(
    ...commands().map(([what, command]) => {
      const row = element("li");
      const copy = element("button", "Copy");
      copy.type = "button";
      copy.setAttribute("aria-label", `Copy: ${command}`);
      const code = element("code", command);
      copy.onclick = async () => {
        try {
          await navigator.clipboard.writeText(command);
          copy.textContent = "Copied";
        } catch {
          // Without a clipboard the command is selected, to be copied by the keyboard.
          getSelection().selectAllChildren(code);
        }
      };
      row.append(element("span", what), code, copy);
      return row;
    }),
  );
}

/** Our pipeline of a task. */
const example = (task) => EXAMPLES[task] ?? EXAMPLES.circle;

/** Puts our pipeline of the run's task into the field, unless somebody has typed there. */
function showTask(message) {
  if (message.run.task === task) return;
  const field = at("typed");
  if (field.value === example(task)) field.value = example(message.run.task);
  task = message.run.task;
  showChoice();
}

/** Shows whether `hough` can be chosen, and whether the text counts. */
function showChoice() {
  const choice = at("choice");
  const isOfTask = task === null || HOUGH.tasks.includes(task);
  const [hough] = [...choice.options].filter(({ value }) => value === "hough");
  hough.disabled = !HOUGH_BYTES || !isOfTask;
  if (hough.disabled) choice.value = "typed";
  at("typed").disabled = choice.value === "hough";
  at("choice-hint").textContent = !HOUGH_BYTES
    ? "hough is not in this build: rustup target add wasm32-unknown-unknown, and build the server again"
    : !isOfTask
      ? `hough does the tasks ${HOUGH.tasks.join(" and ")}`
      : choice.value === "hough"
        ? `loads ${Math.ceil(HOUGH_BYTES / 1000)} kB`
        : "";
}

function showRun({ frames, answered, dropped, errors, restarts, error, status, ended }) {
  at("run-status").textContent = status;
  const counts = [`${frames} frames`, `${answered} answered`, `${dropped} dropped`];
  if (restarts) counts.push(`${restarts} restarts`);
  const time = run?.milliseconds;
  if (time !== undefined) counts.push(`${short(time)} ms a frame`);
  at("run-counts").textContent = counts.join(", ");
  at("run-error").hidden = !error;
  at("run-error").textContent = errors > 1 ? `${error} (${errors} in all)` : error;
  at("stop").disabled = ended;
  at("go").disabled = !ended;
}

function start() {
  if (run && !run.state.ended) return;
  at("run-error").hidden = true;
  run = new Run(at("choice").value === "hough" ? HOUGH : at("typed").value, at("token").value, (state) => later(state));
  showRun(run.state);
}

let pending = null;

/** Shows a state at the next picture of the screen: frames come faster. */
function later(state) {
  pending ??= requestAnimationFrame(() => {
    pending = null;
    showRun(state);
  });
  if (state.ended) {
    cancelAnimationFrame(pending);
    pending = null;
    showRun(state);
  }
}

showCommands();
// Somebody may have typed before this script was loaded.
at("typed").value ||= example(task);
showChoice();
at("choice").onchange = showChoice;
at("form").onsubmit = (event) => {
  event.preventDefault();
  start();
};
at("stop").onclick = () => run?.leave();
at("typed").onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) start();
};
addEventListener("pagehide", () => run && !run.state.ended && run.leave());
const dashboard = new Dashboard(showTask, () => at("token").value);
at("token").onchange = () => dashboard.again();
