// Loaded before any test. Mocha gives its workers one second to end, then SIGTERM; a worker that is still writing what it covered
// by then would lose all of it. Told by a signal that it listens to, it ends as it was about to, with everything written.
if (process.env.MOCHA_WORKER_ID !== undefined) process.on("SIGTERM", () => process.exit());
