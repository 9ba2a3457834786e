import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { composeImage, composeRepository } from "../../../local/awsx/ecr.ts";
import { composeVpc } from "../../../local/awsx/vpc.ts";
import { evaluate, type Program } from "../../../local/program.ts";
import { madeByAwsx, only, programOf } from "../../infra/declared-program.ts";

const PLACE = { partition: "aws", dnsSuffix: "amazonaws.com", region: "eu-west-2", accountId: "123456789012" };

const VPC = {
  cidrBlock: "10.0.0.0/16",
  numberOfAvailabilityZones: 2,
  natGateways: { strategy: "None" },
  subnetStrategy: "Auto",
  subnetSpecs: [{ type: "Public" }, { type: "Isolated", name: "inner" }],
};

describe("What awsx makes", () => {
  let program: Program;
  before(async () => {
    program = await programOf("production");
  });

  it("is declared with the rest of the program, each child once and of the component that it is made for", () => {
    const counts: Record<string, number> = {};
    for (const { type } of madeByAwsx(program)) counts[type] = (counts[type] ?? 0) + 1;
    assert.deepEqual(counts, {
      "aws:ec2/vpc:Vpc": 1,
      "aws:ec2/internetGateway:InternetGateway": 1,
      "aws:ec2/subnet:Subnet": 4,
      "aws:ec2/routeTable:RouteTable": 4,
      "aws:ec2/routeTableAssociation:RouteTableAssociation": 4,
      "aws:ec2/route:Route": 2,
      "aws:ecr/repository:Repository": 1,
      "aws:ecr/lifecyclePolicy:LifecyclePolicy": 1,
      "docker-build:index:Image": 1,
    });
    const components = new Set(program.resources.filter(({ type }) => /^awsx:/.test(type)).map(({ urn }) => urn));
    assert.deepEqual(new Set(madeByAwsx(program).map(({ madeBy }) => madeBy)), components);
  });

  it("hangs where awsx hangs it, and waits for what it needs", () => {
    const byUrn = new Map(program.resources.map((resource) => [resource.urn, resource]));
    for (const { urn, type, parent, dependencies } of madeByAwsx(program)) {
      assert.ok(byUrn.has(parent), `${urn} hangs below ${parent}, which is not declared`);
      for (const dependency of dependencies) assert.ok(byUrn.has(dependency), `${urn} waits for ${dependency}`);
      const [, , types] = urn.split("::");
      const above = byUrn.get(parent)?.type === "pulumi:pulumi:Stack" ? "" : `${parent.split("::")[2]}$`;
      assert.equal(types, `${above}${type}`);
    }
    const [lifecycle] = madeByAwsx(program, "LifecyclePolicy");
    assert.match(String(lifecycle?.parent), /pulumi:pulumi:Stack/, "awsx gives the lifecycle policy no parent");
  });

  it("is what the component's outputs are of", () => {
    const outputs = only(program, "Vpc").outputs;
    const subnets = madeByAwsx(program, "Subnet");
    const idsOf = (type: string) =>
      subnets.filter(({ inputs }) => (inputs.tags as { SubnetType: string }).SubnetType === type).map(({ id }) => id);
    assert.deepEqual(
      [outputs.vpcId, outputs.publicSubnetIds, outputs.isolatedSubnetIds, outputs.privateSubnetIds],
      [madeByAwsx(program, "Vpc")[0]?.id, idsOf("Public"), idsOf("Isolated"), []],
    );
    const [repository] = madeByAwsx(program, "Repository");
    assert.equal(only(program, "Repository").outputs.url, repository?.outputs.repositoryUrl);
    const [image] = madeByAwsx(program, "Image");
    assert.equal(
      only(program, "Image").outputs.imageUri,
      `${repository?.outputs.repositoryUrl}@${image?.outputs.digest}`,
    );
  });

  it("gives a way out to public subnets only, and would give public addresses there, which the program's transform forbids", () => {
    const routes = madeByAwsx(program, "Route");
    const tables = new Map(madeByAwsx(program, "RouteTable").map(({ id, inputs }) => [id, inputs.tags]));
    const ways = routes.map(
      ({ inputs }) => (tables.get(String(inputs.routeTableId)) as { SubnetType: string }).SubnetType,
    );
    assert.deepEqual(ways, ["Public", "Public"]);
    for (const { inputs } of madeByAwsx(program, "Subnet")) {
      assert.equal(inputs.mapPublicIpOnLaunch, false);
    }
    const untransformed = composeVpc("net", VPC, PLACE).children.filter(({ type }) => type.endsWith(":Subnet"));
    for (const { name, inputs } of untransformed) {
      assert.equal(inputs.mapPublicIpOnLaunch, name.includes("-public-"), name);
    }
    assert.equal(untransformed.length, 4);
  });

  it("divides the range evenly among zones, and each zone's part among kinds of subnet", () => {
    const cidrs = (zones: number, cidrBlock: string) =>
      composeVpc("net", { ...VPC, numberOfAvailabilityZones: zones, cidrBlock }, PLACE)
        .children.filter(({ type }) => type === "aws:ec2/subnet:Subnet")
        .map(({ name, inputs }) => [name, inputs.cidrBlock, inputs.availabilityZone]);
    assert.deepEqual(cidrs(2, "10.0.0.0/16"), [
      ["net-public-1", "10.0.0.0/18", "eu-west-2a"],
      ["net-inner-1", "10.0.64.0/18", "eu-west-2a"],
      ["net-public-2", "10.0.128.0/18", "eu-west-2b"],
      ["net-inner-2", "10.0.192.0/18", "eu-west-2b"],
    ]);
    assert.deepEqual(
      cidrs(3, "172.31.0.0/20").map(([, cidr]) => cidr),
      ["172.31.0.0/23", "172.31.2.0/23", "172.31.4.0/23", "172.31.6.0/23", "172.31.8.0/23", "172.31.10.0/23"],
    );
  });

  it("keeps the login to the registry as a secret, and names an image by its tag", () => {
    const inputs = { repositoryUrl: "1.dkr.ecr.x/app", imageTag: "app-1", context: "c", platform: "linux/arm64" };
    const [image] = composeImage("application", inputs).children;
    assert.equal(image?.name, "app-1");
    assert.equal(image?.inputs.buildOnPreview, true);
    const [registry] = (image?.inputs.registries ?? []) as readonly { readonly password: unknown }[];
    assert.equal(typeof registry?.password, "object", "a password that is not wrapped is in the state in the clear");
    assert.deepEqual(composeImage("application", { imageTag: "app-1" }).children, [], "nothing to push to yet");
  });

  it("puts the rule for any image last, and keeps one untagged image where nothing is said", () => {
    const rulesOf = (lifecyclePolicy: unknown) =>
      JSON.parse(String(composeRepository("App", { lifecyclePolicy }).children[1]?.inputs.policy)).rules;
    const any = { tagStatus: "any", maximumNumberOfImages: 9 };
    const tagged = { tagStatus: "tagged", tagPrefixList: ["v"], maximumAgeLimit: 7 };
    assert.deepEqual(
      rulesOf({ rules: [any, tagged] }).map((rule: { selection: unknown }) => rule.selection),
      [
        { tagStatus: "tagged", tagPrefixList: ["v"], countType: "sinceImagePushed", countNumber: 7, countUnit: "days" },
        { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 9 },
      ],
    );
    assert.equal(rulesOf(undefined)[0].selection.tagStatus, "untagged");
    assert.equal(composeRepository("App", { lifecyclePolicy: { skip: true } }).children.length, 1);
    assert.equal(composeRepository("App", {}).children[0]?.name, "app");
  });

  it("is refused where it would be something that is not described here", () => {
    assert.throws(
      () => composeVpc("net", { ...VPC, natGateways: { strategy: "Single" } }, PLACE),
      /local\/awsx\/vpc\.ts/,
    );
    assert.throws(() => composeImage("application", { repositoryUrl: "x" }), /local\/awsx\/ecr\.ts/);
  });

  it("is there in a preview too, without what AWS would compute, but for the image of a new repository", async () => {
    const children = madeByAwsx(await evaluate("production", { preview: true }));
    assert.equal(children.length, madeByAwsx(program).length - 1);
    assert.deepEqual([...new Set(children.map(({ id }) => id))], [""]);
    const subnet = children.find(({ type }) => type === "aws:ec2/subnet:Subnet");
    assert.deepEqual([subnet?.inputs.vpcId, typeof subnet?.inputs.cidrBlock], [undefined, "string"]);
  });
});
