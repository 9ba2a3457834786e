import { DOWN_MS, FAILOVER_SECONDS, SILENCE_MS, SKEW_SECONDS, WINDOW_MS } from "./rows.ts";
import { BORROW_SECONDS } from "./stage.ts";

const seconds = (ms: number): string => `${ms / 1_000} s`;

/** What each fault stands for on AWS, and what the pool does about it: Markdown, by the name of the fault. */
export const STORIES: Readonly<Record<string, string>> = {
  "Rotation window": `RDS gives the database the new password before the secret's new version is \`AWSCURRENT\`. In between, here ${seconds(WINDOW_MS)},
the proxy cannot log in, and tells new clients that the password is wrong. Connections that stand go on. The pool goes on trying to connect,
with one attempt at a time and a jittered pause of at most a second between two, and callers wait for that in its line.`,

  "Revoked and restored grant": `The task role loses \`rds-db:connect\` and has it back, or never lost it but the proxy does not know of it yet. Nobody
could tell the two apart by the proxy's text, so the pool tries again until its budget for retries is spent.`,

  "IAM throttling": `More new IAM connections a second than RDS Proxy takes (AWS advises fewer than 200). The pool is no part of the stampede: after a
failure it makes one attempt at a time.`,

  "Expired credentials": `The agent of ECS goes on handing out credentials that have expired. The signer falls back on those that it has when
their renewal fails, so the proxy refuses the first token; from then on the pool itself says that they have expired, and sends nothing.`,

  "Slow credentials endpoint": `The agent of ECS does not answer. A mint has a limit of its own (here 400 ms), is over before a socket is opened, and is
tried again.`,

  "Clock skew": `AWS's clock is ${SKEW_SECONDS / 60} minutes ahead of the service's: every token is too old when it arrives. The proxy calls the token
wrong and no more, so the pool tries again, and the error at the end of its budget says to check the clock.`,

  "Wrong CA": `Whoever answers at the proxy's address has a certificate for the right name from an unknown authority. No waiting cures that, so whoever
needs a new connection is told at once, and no token is sent. Once the right certificate is back the next caller has a connection.`,

  "Proxy restart": `The proxy's host is replaced: every connection is reset, and for ${seconds(DOWN_MS)} nobody listens at its port.
The database may have been at work for a connection that was reset, and finishes: that is why the caller is told that the outcome is unknown, and
nothing is sent a second time.`,

  "Database restart": `A reboot of the instance without failover; PostgreSQL is away for ${seconds(DOWN_MS)} at least. It ends its connections with \`57P01\` and
undoes what they were at. The proxy keeps new clients waiting meanwhile.`,

  Failover: `A Multi-AZ failover of ${FAILOVER_SECONDS} s: the old primary goes with all that it was at, and the database cannot be reached. The proxy
lets new clients wait for its borrow time-out (here ${BORROW_SECONDS} s) and then turns them away; the pool tries again. On AWS, connections that are
idle survive it at the proxy; here they do not, which is worse.`,

  "Black hole": `Packets between service and proxy are lost, and nothing is refused or closed. A statement whose server is silent for
\`silenceTimeoutMillis\` (here ${seconds(SILENCE_MS)}) fails, and its connection is closed; new attempts end after \`reachTimeoutMillis\`. What was
on its way when the route failed arrives when it heals: the statement of the idle pool was *executed after its caller had been
told* that its outcome is unknown. The first of the waiters had the connection that stood.`,

  "Reset in the middle of a result": `Every connection is reset when a part of a result has arrived: of the statement in flight, of one on another
connection of the idle pool, of the one that the waiters wait for, of the second statement of the transaction, and, for COMMIT, of a notice ahead of
its answer. Nobody is given a part for the whole.`,

  "Drop of every connection": `The proxy resets every connection, once, and takes new ones at once. The client has seen the reset when the
statement of the idle pool is asked for: one that is sent before fails as one in flight does, since nobody can tell whether it arrived.`,
};
