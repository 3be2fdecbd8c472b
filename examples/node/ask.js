// Asks for products like products, and for products after a visit.
//
//   node ask.js 127.0.0.1:50051 ITEM...
//
// Prints one JSON object. SHELFMATE_API_KEY and SHELFMATE_CA (a file in PEM form) are used where the
// server asks for a key, or speaks TLS.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const PROTO = fileURLToPath(new URL("../../proto", import.meta.url));

// Calls that no server worked on are sent again; see proto/shelfmate/client/channel.py.
const SERVICE_CONFIG = JSON.stringify({
  methodConfig: [
    {
      name: [{ service: "shelfmate.v1.RecommenderService" }],
      retryPolicy: {
        maxAttempts: 3,
        initialBackoff: "0.05s",
        maxBackoff: "1s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
});

function connect(target) {
  const definition = protoLoader.loadSync("shelfmate/v1/recommender.proto", {
    includeDirs: [PROTO],
    keepCase: true,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const { RecommenderService } = grpc.loadPackageDefinition(definition).shelfmate.v1;
  const ca = process.env.SHELFMATE_CA;
  const credentials = ca
    ? grpc.credentials.createSsl(readFileSync(ca))
    : grpc.credentials.createInsecure();
  return new RecommenderService(target, credentials, { "grpc.service_config": SERVICE_CONFIG });
}

function metadata() {
  const sent = new grpc.Metadata();
  if (process.env.SHELFMATE_API_KEY) sent.set("x-api-key", process.env.SHELFMATE_API_KEY);
  return sent;
}

// Every call has a deadline.
function ask(client, method, request, milliseconds = 5000) {
  const send = promisify(client[method]).bind(client);
  return send(request, metadata(), { deadline: Date.now() + milliseconds });
}

function answer(outcome) {
  if (outcome.outcome === "status") return { code: outcome.status.code };
  return {
    items: outcome.recommendations.items.map(({ item_id, score, source }) => ({
      item_id,
      score,
      source,
    })),
  };
}

const [target, ...itemIds] = process.argv.slice(2);
const client = connect(target);
try {
  const similar = await ask(client, "RecommendSimilar", {
    defaults: { k: 5, unknown_items: "UNKNOWN_ITEM_POLICY_FAIL" },
    requests: itemIds.map((item_id) => ({ item_id })),
  });
  const session = await ask(client, "RecommendForSession", {
    defaults: { k: 5 },
    requests: [{ visits: itemIds.map((item_id) => ({ item_id })) }],
  });
  const answers = {
    snapshot: similar.info.snapshot_id,
    similar: similar.outcomes.map(answer),
    session: session.outcomes.map(answer),
  };
  console.log(JSON.stringify(answers));
} catch (error) {
  console.error(`${grpc.status[error.code] ?? "FAILED"}: ${error.details ?? error}`);
  process.exitCode = 1;
} finally {
  client.close();
}
