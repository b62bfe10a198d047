// Package bench holds benchmarks of the work that a full-size decode is made
// of: the products of Stable unCLIP's UNet and VAE by shape, and whole networks.
//
//	go test ./bench -bench . -benchtime 1x
//	go test ./bench -bench 'UNetProduct/conv=320' -benchtime 1x
//	COCLICO_MODEL=DIR go test ./bench -bench 'UNet|VAE|ViT' -benchtime 3x
//
// Every product reports GFLOP/s and percent of the peak, which is the rate of
// the implementation's multiplication on registers alone, measured on one core
// just before and times GOMAXPROCS. Times are the shortest of several runs: the
// machines are shared, and the shortest is the one that was disturbed least.
//
// peers/ runs the same work in PyTorch. RESULTS.md has what was measured.
package bench
