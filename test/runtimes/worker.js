/** A Worker that answers any request with the report. */
import "./worker_globals.js";
import { run } from "./suite.js";

export default {
  async fetch() {
    return Response.json(await run());
  },
};
