// Plain JavaScript, because Pulumi's runner of policy packs looks for exactly this file; Node strips the types of what it imports.
import { PolicyPack } from "@pulumi/policy";
import { runtime } from "@pulumi/pulumi";
import { stackPolicies } from "./policies.ts";
import { tierOf } from "./tier.ts";

// Only where the engine hands the configuration of the stack to its policy packs; the tags of the provider tell otherwise. Whatever the
// project is called: its own keys begin with its name.
const [, configured] = Object.entries(runtime.allConfig()).find(([key]) => key.endsWith(":tier")) ?? [];

new PolicyPack("passwordless-postgres", {
  description: "What a security review asks of a stack with RDS Proxy: one policy for each line of docs/security.md.",
  policies: stackPolicies(configured === undefined ? {} : { tier: tierOf(configured) }),
});
