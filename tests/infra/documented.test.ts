import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "mocha";
import ts from "typescript";

const INFRA = new URL("../../infra/", import.meta.url);

/** Files that hold what others hand to the components, with the fewest members that each must have. */
const FILES: readonly (readonly [file: string, members: number])[] = [
  ["database/arguments.ts", 18],
  ["proxy/arguments.ts", 20],
  ["service/arguments.ts", 25],
  ["existing-database.ts", 4],
  ["service-identity.ts", 5],
];

/** Whatever is optional says what happens without it. */
const SAYS_DEFAULT = /\bdefault\b|undefined|\bonly one\b/i;

for (const [file, least] of FILES) {
  describe(`What infra/${file} takes`, () => {
    it("has a doc comment for each member, and says what happens without it where it is optional", async () => {
      const source = ts.createSourceFile(
        file,
        await readFile(new URL(file, INFRA), "utf8"),
        ts.ScriptTarget.Latest,
        true,
      );
      const members = source.statements.filter(ts.isInterfaceDeclaration).flatMap((declaration) =>
        declaration.members.map((member) => ({
          name: `${declaration.name.text}.${member.name?.getText(source)}`,
          optional: member.questionToken !== undefined,
          text: ts
            .getJSDocCommentsAndTags(member)
            .map((comment) => ts.getTextOfJSDocComment(comment.comment) ?? "")
            .join(" "),
        })),
      );
      assert.ok(members.length >= least, `only ${members.length} members`);
      const silent = members.filter(({ text, optional }) => text === "" || (optional && !SAYS_DEFAULT.test(text)));
      assert.deepEqual(
        silent.map(({ name }) => name),
        [],
      );
    });
  });
}
