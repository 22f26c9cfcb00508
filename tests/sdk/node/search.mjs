// Search: filters, sorts, pages and the wall.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { check, ids, refused, sorted } from './bench.mjs';

const request = (filters, more = {}) => ({
  filterGroups: filters.length ? [{ filters }] : [],
  limit: 200,
  properties: [],
  sorts: [],
  after: '0',
  ...more,
});

check('search', 'filters agree with the truth', async (crm, portal) => {
  const deals = await portal.witness('objects/deals?archived=false');
  const amounts = deals
    .map((deal) => Number(deal.properties.amount || NaN))
    .filter((n) => !Number.isNaN(n))
    .sort((a, b) => a - b);
  const [low, high] = [amounts[Math.floor(amounts.length / 4)], amounts[Math.floor(amounts.length / 2)]];
  const amount = (deal) => (deal.properties.amount ? Number(deal.properties.amount) : undefined);
  const cases = [
    [
      { propertyName: 'amount', operator: 'BETWEEN', value: `${low}`, highValue: `${high}` },
      (deal) => amount(deal) >= low && amount(deal) <= high,
    ],
    [{ propertyName: 'amount', operator: 'LTE', value: `${low}` }, (deal) => amount(deal) <= low],
    [{ propertyName: 'amount', operator: 'NOT_HAS_PROPERTY' }, (deal) => amount(deal) === undefined],
    [
      { propertyName: 'dealstage', operator: 'EQ', value: 'closedwon' },
      (deal) => deal.properties.dealstage === 'closedwon',
    ],
    [
      { propertyName: 'dealstage', operator: 'IN', values: ['closedwon', 'closedlost'] },
      (deal) => deal.properties.dealstage.startsWith('closed'),
    ],
  ];
  for (const [filter, holds] of cases) {
    const got = await crm.deals.searchApi.doSearch(request([filter]));
    deepEqual(sorted(ids(got.results)), sorted(ids(deals.filter(holds))), filter.operator);
    equal(got.total, got.results.length);
  }
});

check('search', 'sorts and pages walk everything once', async (crm) => {
  const seen = [];
  let [after, total] = ['0', 0];
  while (after) {
    const sorts = [{ propertyName: 'createdate', direction: 'DESCENDING' }];
    const page = await crm.deals.searchApi.doSearch(
      request([], { sorts, limit: 50, after, properties: ['createdate'] }),
    );
    seen.push(...page.results);
    [after, total] = [page.paging?.next?.after, page.total];
  }
  const dates = seen.map((row) => row.createdAt.getTime());
  deepEqual(
    dates,
    [...dates].sort((a, b) => b - a),
  );
  deepEqual([seen.length, new Set(ids(seen)).size], [total, total]);
});

check('search', 'a query finds a new contact; an archived one is gone', async (crm) => {
  const made = await crm.contacts.basicApi.create({
    properties: { email: 'zyx@node.example', lastname: 'Wxyzworth' },
    associations: [],
  });
  deepEqual(ids((await crm.contacts.searchApi.doSearch(request([], { query: 'wxyzworth' }))).results), [made.id]);
  await crm.contacts.basicApi.archive(made.id);
  equal((await crm.contacts.searchApi.doSearch(request([], { query: 'wxyzworth' }))).total, 0);
});

check('search', 'ten thousand is the wall', async (crm) => {
  const last = await crm.contacts.searchApi.doSearch(request([], { after: '9800' }));
  ok(last.total > 10_000 && last.results.length === 200);
  const { body } = await refused(400, () => crm.contacts.searchApi.doSearch(request([], { after: '9900' })));
  deepEqual([body.status, body.category], ['error', 'VALIDATION_ERROR']);
});

check('search', 'what search cannot do is a 400', async (crm) => {
  const filter = { propertyName: 'lastname', operator: 'HAS_PROPERTY' };
  const groups = Array(6).fill({ filters: [filter] });
  for (const wrong of [
    request([], { limit: 201 }),
    { ...request([]), filterGroups: groups },
    request(Array(7).fill(filter)),
    request([{ ...filter, propertyName: 'no_such_thing' }]),
  ]) {
    ok((await refused(400, () => crm.contacts.searchApi.doSearch(wrong))).body.message);
  }
});
