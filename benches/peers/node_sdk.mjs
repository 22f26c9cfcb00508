// HubSpot's Node SDK, walking as its getAll does (a getPage after the other), without keeping the rows. Prints the ids it
// received. RETRIES turns the SDK's documented retries on, six at most; a time limit it has none.

import { createRequire } from 'node:module';

const { Client } = createRequire(`${process.env.SDK_NODE_HOME}/`)('@hubspot/api-client');
const client = new Client({
  accessToken: process.env.DEALDECK_TOKEN,
  basePath: process.env.DEALDECK_BASE_URL,
  numberOfApiCallRetries: Number(process.env.RETRIES ?? 0),
});
const properties = process.env.PROPERTIES.split(',');
try {
  let after;
  do {
    const page = await client.crm.contacts.basicApi.getPage(100, after, properties);
    process.stdout.write(page.results.map((row) => `${row.id}\n`).join(''));
    after = page.paging?.next?.after;
  } while (after);
} catch (error) {
  console.error(`${error.name}: ${error.message}`.split('\n')[0]);
  process.exitCode = 1;
}
