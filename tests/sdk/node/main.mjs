// HubSpot's Node SDK against the simulated portal. Run by ../run.sh; prints a line a check and ends in a JSON count.

import { Portal, run } from './bench.mjs';

// Importing registers the checks, in this order.
import './search.mjs';
import './records.mjs';
import './links.mjs';
import './account.mjs';
import './errors.mjs';

const wide = ['--limit', '1000000/10s', '--search-limit', '1000000/1s', '--index-lag', '0s..0s'];
const portal = await Portal.open('--contacts', '10400', '--companies', '60', '--deals', '120', ...wide);
const count = await run(portal, portal.client().crm).finally(() => portal.close());
console.log(JSON.stringify(count));
process.exitCode = count.failed ? 1 : 0;
