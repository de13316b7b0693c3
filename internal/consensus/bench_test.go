package consensus_test

import (
	"testing"

	"thalas/internal/consensus"
	"thalas/internal/signal"
)

func BenchmarkAggregate4(b *testing.B) {
	votes := fourVotes(b)
	policy := consensus.Policy{MinConfidence: 0.5, Price: 50000}
	b.ReportAllocs()
	for b.Loop() {
		consensus.Aggregate(votes, policy)
	}
}

func BenchmarkDecided(b *testing.B) {
	light := []consensus.Pending{{Provider: "gemini", Weight: .2}, {Provider: "grok", Weight: .2}, {Provider: "openai", Weight: .2}}
	benchmarks := []struct {
		name    string
		votes   []signal.Vote
		pending []consensus.Pending
	}{
		{"4 votes 1 pending", fourVotes(b), []consensus.Pending{{Provider: "mistral", Weight: .5}}},
		{"1 vote 3 pending", parseVotes(b, "anthropic:BUY@.95"), light},
		{"1 vote 3 pending far from decided", parseVotes(b, "anthropic:BUY@.3"), light},
	}
	for _, bm := range benchmarks {
		b.Run(bm.name, func(b *testing.B) {
			policy := consensus.Policy{MinConfidence: 0.4, Price: 50000}
			b.ReportAllocs()
			for b.Loop() {
				consensus.Decided(bm.votes, bm.pending, policy)
			}
		})
	}
}

// Decided is called after each answer, and Aggregate for each stored result of a replay.
func TestAllocations(t *testing.T) {
	votes, policy := fourVotes(t), consensus.Policy{MinConfidence: 0.5, Price: 50000}
	pending := []consensus.Pending{{Provider: "mistral", Weight: .5}}
	if got := testing.AllocsPerRun(100, func() { consensus.Aggregate(votes, policy) }); got > 7 {
		t.Errorf("Aggregate: %v allocations, want at most 7", got)
	}
	if got := testing.AllocsPerRun(100, func() { consensus.Decided(votes, pending, policy) }); got > 0 {
		t.Errorf("Decided: %v allocations, want none", got)
	}
}

func fourVotes(tb testing.TB) []signal.Vote {
	return append(leveledVotes(tb), parseVotes(tb, "grok:BUY@.7(.6)")...)
}
