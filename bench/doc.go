// Package bench benchmarks the work of a full-size decode: the products of
// Stable unCLIP's UNet and VAE by shape, and whole networks.
//
//	go test ./bench -bench . -benchtime 1x
//	go test ./bench -bench 'UNetProduct/conv=320' -benchtime 1x
//	COCLICO_MODEL=DIR go test ./bench -bench 'UNet|VAE|ViT' -benchtime 3x
//
// Every product reports GFLOP/s and percent of the peak, which is the rate of
// multiplying in registers, measured on one core just before and multiplied by
// GOMAXPROCS. Times are the shortest of several runs: the machines are shared,
// and the shortest run was disturbed least.
//
// The BenchmarkArchive... benchmarks measure package archive on random rows: they
// need no model, and up to 1.2 GB of the temporary folder.
//
//	go test ./bench -run - -bench 'ArchiveWrite|ArchiveScan|ArchiveGet' -benchtime 5x
//
// The folder peers runs the same work in PyTorch and OpenVINO, golden has the
// programs of the golden files, and RESULTS.md the measurements.
package bench
