// What the generated types promise an app: this file compiles, or the schema
// says something else than it means.

import type { ResultOf, VariablesOf } from '@graphql-typed-document-node/core';
import type { Role, UserErrorCode } from './generated/graphql';
import { AnythingDocument, PageDocument, ReportDocument, StartDocument, StartTimerDocument } from './generated/graphql';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function holds<_ extends true>(): void;

type Start = ResultOf<typeof StartDocument>;
holds<Same<Start['viewer']['role'], Role>>();
holds<Same<Start['myDay']['day'], string>>();
holds<Same<Start['myDay']['totals']['seconds'], number>>();
holds<Same<Start['myDay']['totals']['amounts'][number]['minor'], number>>();

// What runs has no end, and what another query would have to bring may be missing.
holds<Same<Start['myDay']['entries'][number]['seconds'], number | null>>();
holds<Same<Extract<Start['myDay']['entries'][number]['project'], null>, null>>();
holds<Same<ResultOf<typeof PageDocument>['timeEntries']['totalCount'], number | null>>();

type Timer = ResultOf<typeof StartTimerDocument>['startTimer'];
holds<Same<Timer['userErrors'][number]['code'], UserErrorCode>>();
holds<Same<NonNullable<Timer['stopped']>['seconds'], number | null>>();

export const page: VariablesOf<typeof PageDocument> = { first: 50, filter: { period: { from: '2026-01-01', to: '2026-01-31' } } };
// @ts-expect-error the size of a page has to be given
export const unsliced: VariablesOf<typeof PageDocument> = {};

export const report: VariablesOf<typeof ReportDocument> = {
  input: { period: { from: '2026-01-01', to: '2026-12-31' }, groupBy: ['CLIENT', 'MONTH'] },
};
// @ts-expect-error there is no such key
export const unknownKey: VariablesOf<typeof ReportDocument>['input']['groupBy'] = ['SHOE_SIZE'];

// Fields with defaults need not be sent.
export const timer: VariablesOf<typeof StartTimerDocument> = { input: {} };

export function name(node: ResultOf<typeof AnythingDocument>['node']): string {
  return node?.__typename === 'Project' ? node.name : '';
}
