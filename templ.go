// Package kamachat is the root of the house and its map. It holds what only
// the root can embed, the static files and the migrations, and the tests that
// keep the house in order (house_test.go).
//
// The rooms, from what both ends share, to the browser, to the server:
//
//   - shared/chat: the vocabulary; people, conversations, drafts, messages and the rules about them.
//   - shared/wire: the protocol; frames, their bodies and the native dialect.
//   - shared/words: what the program says, in every language it speaks.
//   - shared/told: what the program says of entries; how a conversation changed, what is gone.
//   - shared/icons: the icons that both the server's pages and the browser draw.
//   - ui: the program of the browser; joins state and link and starts the views.
//   - ui/state: what the browser knows; no page, no socket, no clock.
//   - ui/link: the one socket to the server, and when to dial it again.
//   - ui/local: the browser's own database; a replica that outlives a reload.
//   - ui/view: the components that a person sees and touches.
//   - server: the program of the server; builds it top to bottom, in plain sight.
//   - server/config: flags and environment; nothing else reads them.
//   - server/room: the heart; takes posts in, has them committed, hands them out.
//   - server/session: one live socket; reads, handles, writes, keeps it alive.
//   - server/store: the database, SQLite or MySQL.
//   - server/move: takes everything from one database to another while a server goes on.
//   - server/backup: everything in one file, while a server goes on, and back.
//   - server/jobs: work that takes long, with progress and an end that is told.
//   - server/retention: removes what administrators want kept no longer.
//   - server/export: conversations and accounts as files for the people whose they are.
//   - server/inproc: carrier, fan-out and presence for one process, in memory.
//   - server/kafka: carrier of several nodes, by way of a Kafka topic.
//   - server/redis: what several nodes share through Redis; fan-out, presence, rate limits, recent entries.
//   - server/account: people; sign-in, groups, and who may do what.
//   - server/admin: what administrators see and do, and what they did.
//   - server/board: what administrators see of the installation; invitations, reports, figures over time.
//   - server/settings: what administrators set for the whole installation.
//   - server/classic: the seed's dialect of the protocol, for its clients.
//   - server/push: notifications to browsers of people who are not there (Web Push).
//   - server/hooks: webhooks; addresses by which programs post, and that are told what is said.
//   - server/outward: requests to addresses that people gave, none of which lead inside.
//   - server/files: what people upload; the bytes, their type, and what nobody posted.
//   - server/page: the pages that the server draws.
//   - server/web: HTTP; routes, cookies, and the door to the socket.
//   - server/monitor: metrics, readiness, the log's line about how it goes, and traces.
//   - server/apitest: what the API answers held against its description, for tests.
//   - server/servicetest: MariaDB, Redis and Kafka for tests, each test its own.
//   - server/sim: the whole in one process under faults drawn from a seed, for tests alone.
//   - server/bench: the load generator behind "kamachat bench".
//   - e2e: the whole program, driven in a real browser.
//   - deploy: compose, Kubernetes, systemd and proxies for several nodes, held against the program by tests.
//   - tools: what the build needs and the program does not.
//   - docs/examples: how to use the API, run by a test.
//   - migrations: the schema, step by step, one set for both databases.
//   - static: styles, icons and scripts; the compressed WebAssembly is built into it.
//
// A place is kept for shared/call (the state machine of a call).
//
// How one message travels from a keystroke to another screen is told in
// README.md, the protocol in shared/wire, decisions in docs/decisions.
package kamachat

import "embed"

//go:generate go tool templ generate

// Static holds what the server serves under /static/, including the compressed
// WebAssembly when it has been built (make wasm).
//
//go:embed all:static
var Static embed.FS

// Migrations holds the schema's steps, NNNNN_name.up.sql and .down.sql.
//
//go:embed migrations/*.sql
var Migrations embed.FS
