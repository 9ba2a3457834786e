import { randomUUID } from "node:crypto";

/** What the load asks of the service. */
export type RequestKind = "create" | "read" | "list" | "rename" | "add member" | "transfer";

/** One request to send, and what its success teaches. */
export interface PlannedRequest {
  readonly kind: RequestKind;
  readonly method: "GET" | "POST" | "PATCH";
  /** Path and query. */
  readonly path: string;
  /** JSON body. */
  readonly body?: string;
  /** The only status that is a success. */
  readonly expectedStatus: number;
  /** To be called when the expected status has arrived. */
  readonly acknowledged?: () => void;
}

/**
 * The order in which kinds follow each other, for ever: as many writes as reads, and one transfer, the request with a transaction of
 * several statements, in each round. The order is fixed, so that two runs ask the same.
 */
const round: readonly RequestKind[] = [
  "create",
  "read",
  "create",
  "list",
  "read",
  "rename",
  "create",
  "read",
  "add member",
  "read",
  "transfer",
  "read",
];

/** Projects that later requests pick from: the most recent ones, so that memory stays bounded where ids need not be known. */
const recentProjects = 1_000;

/** Decides what is asked next: always something that must succeed, given what the service has acknowledged. */
export class Workload {
  /** Ids of the projects and members whose creation the service has acknowledged, in that order. */
  readonly acknowledgedIds: string[] = [];
  readonly #projects: string[] = [];
  readonly #members: { readonly projectId: string; readonly memberId: string }[] = [];
  #step = 0;

  /** The next request. Each one that creates something carries an id of its own. */
  next(): PlannedRequest {
    const step = this.#step++;
    const kind = round[step % round.length] as RequestKind;
    const projectId = this.#recentProject(step);
    if (projectId === undefined) return this.#create(step); // nothing can be asked of a project before there is one
    switch (kind) {
      case "create":
        return this.#create(step);
      case "read":
        return { kind, method: "GET", path: `/projects/${projectId}`, expectedStatus: 200 };
      case "list":
        return { kind, method: "GET", path: "/projects?limit=10", expectedStatus: 200 };
      case "rename":
        return {
          kind,
          method: "PATCH",
          path: `/projects/${projectId}`,
          body: JSON.stringify({ name: `renamed ${step}` }),
          expectedStatus: 200,
        };
      case "transfer":
        return this.#transfer() ?? this.#addMember(projectId, step);
      case "add member":
        return this.#addMember(projectId, step);
    }
  }

  #create(step: number): PlannedRequest {
    const id = randomUUID();
    return {
      kind: "create",
      method: "POST",
      path: "/projects",
      body: JSON.stringify({ id, name: `project ${step}` }),
      expectedStatus: 201,
      acknowledged: () => {
        this.acknowledgedIds.push(id);
        this.#projects.push(id);
      },
    };
  }

  #addMember(projectId: string, step: number): PlannedRequest {
    const memberId = randomUUID();
    return {
      kind: "add member",
      method: "POST",
      path: `/projects/${projectId}/members`,
      body: JSON.stringify({ id: memberId, name: `member ${step}` }),
      expectedStatus: 201,
      acknowledged: () => {
        this.acknowledgedIds.push(memberId);
        this.#members.push({ projectId, memberId });
      },
    };
  }

  #transfer(): PlannedRequest | undefined {
    const member = this.#members.shift();
    if (member === undefined) return undefined;
    return {
      kind: "transfer",
      method: "POST",
      path: `/projects/${member.projectId}/transfer`,
      body: JSON.stringify({ to: member.memberId }),
      expectedStatus: 200,
    };
  }

  /** Spread over the recent projects without a random source: a stride that shares no factor with 1,000. */
  #recentProject(step: number): string | undefined {
    const among = Math.min(this.#projects.length, recentProjects);
    return this.#projects.at(-1 - ((step * 617) % Math.max(among, 1)));
  }
}
