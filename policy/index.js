// Plain JavaScript, because Pulumi's runner of policy packs looks for exactly this file; Node strips the types of what it imports.
import { PolicyPack } from "@pulumi/policy";
import { runtime } from "@pulumi/pulumi";
import { stackPolicies, tierOf } from "./policies.ts";

// The engine gives a policy pack the configuration of the stack that it looks at, with the defaults of Pulumi.yaml.
const tier = tierOf(runtime.getConfig("passwordless-postgres:tier"));

new PolicyPack("passwordless-postgres", {
  description: "What a security review asks of a stack with RDS Proxy: one policy for each line of docs/security.md.",
  policies: stackPolicies({ tier }),
});
