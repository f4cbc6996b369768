// A peer of the npm registry as a client: node node_client.mjs MODULE HOST PORT [SETUP]
// MODULE (werift, node-datachannel/polyfill) is looked up from the working folder: npm ci with package.json beside this file.
// With SETUP (passive) the answer claims that DTLS role. Prints the result as JSON; exit code 0 if frames came.
import net from "node:net";
import readline from "node:readline";
import { createRequire } from "node:module";
import "./plumb.js";

const [name, host, port, setup] = process.argv.slice(2);
const { RTCPeerConnection } = createRequire(process.cwd() + "/")(name);
const socket = net.connect(+port, host);
socket.on("error", (error) => (console.log(String(error)), process.exit(3)));
const munge = (sdp) => (setup ? sdp.replace(/a=setup:\w+/g, `a=setup:${setup}`) : sdp);
readline.createInterface({ input: socket }).on("line", async (line) => {
  const message = JSON.parse(line);
  if (message.type !== "offer") return console.error(line);
  const told = (message) => socket.write(JSON.stringify(message) + "\n");
  const result = await plumbClient(RTCPeerConnection, message.sdp, told, munge);
  console.log(JSON.stringify(result));
  setTimeout(() => process.exit(result.frames > 0 ? 0 : 3), 300);
});
