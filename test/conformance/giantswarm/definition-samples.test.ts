/** Definitions as people had them: those that ran are accepted, with their variables replaced; the bad ones are refused. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { parseDefinition } from '../../../src/dialects/giantswarm/definition/parse-definition.ts';
import { WrongInput } from '../../../src/dialects/giantswarm/definition/place.ts';
import { sample, substitute } from './variables.ts';

const values = {
  username: 'ann',
  GIANTSWARM_LOGIN_NAME: 'ann',
  domain: 'hello-ann.gigantic.io',
  redis_port: 6379,
};

function docsValues(): Readonly<Record<string, string>> {
  const vars: unknown = JSON.parse(sample('vars-docs-2016-10.json'));
  assert.ok(typeof vars === 'object' && vars !== null && 'giantswarm/production' in vars);
  return vars['giantswarm/production'] as Readonly<Record<string, string>>;
}

/** Each sample's components: type, and links as name → type:port. */
const good: Readonly<Record<string, { name: string; components: Readonly<Record<string, string>> }>> = {
  'nodes-helloworld-2015-08-03.json': { name: 'helloworld', components: { 'helloworld/helloworld': '' } },
  'synthetic-v1-all-keys.json': {
    name: 'allkeys',
    components: { 'web/app': 'cache → web/cache:6379, postgres → db/pg:5432', 'web/cache': '', 'db/pg': '' },
  },
  'synthetic-v1-unquoted-var.txt': {
    name: 'swarm-hello',
    components: { 'webserver/python': 'redis → webserver/redis:6379', 'webserver/redis': '' },
  },
  'v1-couchdb-2015-03.json': {
    name: 'couch-demo',
    components: {
      'coucha/coucha': '',
      'couchb/couchb': '',
      'couchdb-lb/nginx': 'coucha → coucha/coucha:5984, couchb → couchb/couchb:5984',
    },
  },
  'v1-currentweather-2015-02.json': {
    name: 'currentweather-app',
    components: {
      'currentweather-service/nodejs': 'redis → currentweather-service/redis:6379',
      'currentweather-service/redis': '',
    },
  },
  'v1-docs-2015-04.json': {
    name: 'docs',
    components: {
      'proxy/proxy':
        'docsmaster → content-master/content:80, docsslave → content-slave/content:80, sitesearch → sitesearch/sitesearch:9200',
      'content-master/content': 'sitesearch → sitesearch/sitesearch:9200',
      'content-slave/content': '',
      'sitesearch/sitesearch': '',
    },
  },
  'v1-helloworld-2015-05.json': { name: 'helloworld', components: { 'helloworld-service/helloworld-component': '' } },
  'v1-meteor-2015-05.json': {
    name: 'meteor-test',
    components: { 'meteor-test/meteor-test': 'mongo → meteor-test/mongo:27017', 'meteor-test/mongo': '' },
  },
  'v1-open-events-2015-07.json': {
    name: 'open-events',
    components: {
      'eventinputform/eventinputform': 'logstash → logstash/logstash:7001',
      'kibana/kibana': 'elasticsearch → elasticsearch/elasticsearch:9200',
      'elasticsearch/elasticsearch': '',
      'logstash/logstash': 'elasticsearch → elasticsearch/elasticsearch:9200',
      'parkleitsystemapi/parkleitsystemapi': 'logstash → logstash/logstash:7001',
    },
  },
  'v1-symfony-2014-12.json': {
    name: 'symfony',
    components: { 'webapp/fpm': '', 'webapp/nginx': 'fpm → webapp/fpm:9000' },
  },
  'v1-wordpress-mysql-2015-01.json': {
    name: 'wordpress',
    components: {
      'wordpress-service/wordpress': 'mysql → wordpress-service/mysql:3306',
      'wordpress-service/mysql': '',
    },
  },
  'v2-api-body-inception-2015-12.json': { name: 'inception', components: { 'flask/flask': '' } },
  'v2-ccpeople-2015-08.json': {
    name: 'ccpeople2',
    components: {
      'peopleservice/app': 'datomicdb → peopleservice/datomicdb:4334, postgres → peopleservice/postgres:5432',
      'peopleservice/datomicdb': 'postgres → peopleservice/postgres:5432',
      'peopleservice/postgres': '',
    },
  },
  'v2-currentweather-2015-08.json': {
    name: 'currentweather',
    components: { 'nodejs/nodejs': 'redis → redis/redis:6379', 'redis/redis': '' },
  },
  'v2-docs-2016-10.json': {
    name: 'docs',
    components: {
      'content/content': '',
      'indexer/indexer': 'sitesearch → sitesearch/sitesearch:9200',
      'proxy/proxy': 'content → content/content:80, sitesearch → sitesearch/sitesearch:9200',
      'sitesearch/sitesearch': '',
    },
  },
  'v2-helloworld-2015-10.json': { name: 'helloworld', components: { 'webserver/webserver': '' } },
};

for (const [file, expected] of Object.entries(good))
  test(`${file} is accepted`, () => {
    const text = substitute(sample(file), { ...docsValues(), ...values });
    const parsed = parseDefinition(JSON.parse(text));
    assert.equal(parsed.name, expected.name);
    const components = parsed.components.map(({ type, links }) => [
      type,
      links.map((link) => `${link.name} → ${link.type}:${link.port}`).join(', '),
    ]);
    assert.deepEqual(Object.fromEntries(components), expected.components);
  });

test('what is no definition is refused, and every sample has its test', () => {
  const bad = { 'synthetic-bad-unknown-field.json': '["foo"]', 'vars-docs-2016-10.json': '["giantswarm/staging"]' };
  for (const [file, path] of Object.entries(bad))
    assert.throws(
      () => parseDefinition(JSON.parse(sample(file))),
      (error) => error instanceof WrongInput && error.path === path && error.reason === 'unknown key',
    );
  const files = readdirSync(new URL('samples', import.meta.url));
  assert.deepEqual(files.sort(), [...Object.keys(good), ...Object.keys(bad)].sort());
});

test('a variable that was left is refused where it stands', () => {
  const left = (file: string, path: string) =>
    assert.throws(
      () => parseDefinition(JSON.parse(sample(file))),
      (error) => error instanceof WrongInput && error.path === path,
    );
  left('v1-helloworld-2015-05.json', '["services"][0]["components"][0]["domains"]["$domain"]');
  left('v1-docs-2015-04.json', '["services"][0]["components"][0]["image"]');
  left('v2-helloworld-2015-10.json', '["components"]["webserver"]["domains"]["8080"]');
});

test('the longest name of a variable counts, and one without a value stays', () => {
  assert.equal(substitute('$domain $domain_name $a-b $x', { domain: 'd', domain_name: 'n', a: 1 }), 'd n 1-b $x');
});
