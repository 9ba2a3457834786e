import type { Surroundings } from "../../../local/faults/surroundings.ts";

/** Surroundings on which every fault works at once and changes nothing, with what they were told in `deeds`. */
export function idleSurroundings(deeds: string[] = []): Surroundings {
  const doing = (deed: string) => {
    deeds.push(deed);
    return async () => {
      deeds.push(`undo ${deed}`);
    };
  };
  return {
    proxy: {
      refuseConnections: async () => doing("refuseConnections"),
      silence: () => doing("silence"),
      delayTraffic: (ms) => doing(`delayTraffic ${ms}`),
      resetClients: () => deeds.push("resetClients"),
      goDown: async () => doing("goDown"),
      presentCertificate: ({ cert }) => doing(`presentCertificate ${cert}`),
      skewClock: (ms) => doing(`skewClock ${ms}`),
      throttleIam: () => doing("throttleIam"),
      revokeGrant: () => doing("revokeGrant"),
      stopSecretAccess: () => doing("stopSecretAccess"),
      cutDatabase: () => ({ processIds: [7, 8], undo: doing("cutDatabase") }),
    },
    credentials: {
      expireCredentials: () => doing("expireCredentials"),
      delayAnswers: (ms) => doing(`delayAnswers ${ms}`),
      throttleAnswers: () => doing("throttleAnswers"),
    },
    database: {
      restart: async ({ downMs }) => {
        deeds.push(`restart ${downMs}`);
      },
      terminate: async (processIds) => {
        deeds.push(`terminate ${processIds.join(" ")}`);
      },
    },
    secret: {
      widenWindow: (windowMs) => {
        const undo = doing(`widenWindow ${windowMs}`);
        return () => void undo();
      },
    },
    issueForeignCertificate: async () => ({ key: "key", cert: "foreign" }),
  };
}
