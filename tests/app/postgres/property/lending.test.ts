import fc from "fast-check";
import { describe, it } from "mocha";
import { parameters, SEED } from "./settings.ts";
import { Stage } from "./stage.ts";
import { settings, steps } from "./steps.ts";

describe("Lending, whatever the order of events", () => {
  it(`answers each caller once, in time and in order, and keeps every limit (seed ${SEED})`, async function () {
    this.timeout(3_600_000);
    await fc.assert(
      fc.asyncProperty(settings, steps, async (setting, commands) => {
        const stage = new Stage(setting);
        try {
          await fc.asyncModelRun(() => ({ model: {}, real: stage }), commands);
          await stage.finish();
        } finally {
          stage.time.uninstall();
        }
      }),
      parameters(2_000),
    );
  });
});
