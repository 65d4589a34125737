# The targets that people and CI use alike.
.DEFAULT_GOAL := help
.PHONY: help serve test check lint generate race clients browser surge bench allocs fuzz prove

TOOL = go tool -modfile=tools/go.mod

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: ## run the server with demo data on a private PostgreSQL
	go run ./cmd/headroom serve

test: ## all tests, each with a PostgreSQL of its own
	go test ./...

check: lint test ## what a change has to pass

lint: ## vet, formatting, static analysis, dead code, tidy modules
	go vet ./...
	go fix -diff ./...
	@out=$$($(TOOL) gofumpt -l $$(git ls-files '*.go' | grep -v -e /generated.go -e /models_gen.go)); \
		if [ -n "$$out" ]; then echo "not formatted (run: $(TOOL) gofumpt -w .):"; echo "$$out"; exit 1; fi
	$(TOOL) staticcheck ./...
	@out=$$($(TOOL) deadcode -test -generated=false ./... | grep -v "unreachable func: Example"); if [ -n "$$out" ]; then echo "$$out"; exit 1; fi
	go mod tidy -diff
	cd bench && go vet ./... && go mod tidy -diff

generate: ## generate code anew and fail if it differs from what is committed
	go generate ./...
	git diff --exit-code -- graph examples/foreign

race: ## the packages with concurrency of their own, under the race detector
	go test -race -short ./limits ./dataloader/... ./server/... ./store/ ./loadtest/...

clients: ## acceptance tests with real GraphQL clients; needs npm
	./clients/run

browser: ## the playground in headless Chromium
	HEADROOM_BROWSER=required go test -run Browser ./server/...

surge: ## a short load test of a server with demo data; fails when an SLO is violated
	./tools/smoke.sh

bench: ## benchmarks of what runs on every request
	go test -run '^$$' -bench . -benchmem ./limits ./dataloader ./server ./store ./loadtest

allocs: ## fail when a function that runs on every request allocates more often than before
	./tools/allocs.sh

fuzz: ## every fuzz target for ten seconds
	@for f in $$(grep -rlE '^func Fuzz' --include=*_test.go .); do \
		for t in $$(grep -oE '^func (Fuzz[A-Za-z0-9_]*)' $$f | cut -d' ' -f2); do \
			go test -run '^$$' -fuzz "^$$t$$" -fuzztime 10s ./$$(dirname $$f) || exit 1; done; done

# The packages whose tests declare proofs, one after the other: some of them
# measure the processor. Make the record of one with its own command, which
# stands at the head of its file.
prove: ## the long proofs in full, with their results in docs/proofs
	HEADROOM_PROOF=full go test -count=1 -p 1 -timeout 4h $(sort $(shell git grep -l '"headroom/proof"' -- '*_test.go' | xargs -n1 dirname | sed 's,^,./,'))
