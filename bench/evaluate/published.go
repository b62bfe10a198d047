package evaluate

// A Published is a row of a paper's or a repository's own table: on other
// pictures, with other crops, and not measured here.
type Published struct {
	System, Set, Source                    string
	BPP, Bytes, PSNR, MSSSIM, LPIPS, DISTS string
	DBCNN, MUSIQ, CLIP, Color              string
}

// published returns what is printed elsewhere about pictures of about as many
// bytes.
func published() []Published {
	const (
		coclico = "the CoCliCo paper, Table I"
		cod     = "GenCodec CoD, README"
		aeic    = "AEIC, results (arXiv:2512.12229)"
		stable  = "StableCodec, results.txt"
		pics    = "DiffEIC, indicators/results.xlsx"
	)
	return []Published{
		{System: "input", Set: "Landscape, 768 x 768", Source: coclico, DBCNN: "62.0", MUSIQ: "69.0"},
		{System: "CoCliCo", Set: "Landscape, 768 x 768", Source: coclico, BPP: "0.0016", Bytes: "120", DBCNN: "46.3", MUSIQ: "61.0", CLIP: "0.18", Color: "0.03"},
		{System: "VVC, QP 63", Set: "Landscape, 768 x 768", Source: coclico, BPP: "0.0072", Bytes: "531", DBCNN: "15.0", MUSIQ: "17.8", Color: "0.01"},
		{System: "COCLI", Set: "Landscape", Source: "IEEE Access 2024", BPP: "0.0012", MUSIQ: "65.3"},
		{System: "CoD latent", Set: "Kodak, 512 x 512", Source: cod, BPP: "0.0039", Bytes: "128", PSNR: "15.0", LPIPS: "0.415", DISTS: "0.188"},
		{System: "CoD pixel", Set: "Kodak, 512 x 512", Source: cod, BPP: "0.0039", Bytes: "128", PSNR: "16.2", LPIPS: "0.434", DISTS: "0.186"},
		{System: "CoD latent, 64 bits", Set: "Kodak, 512 x 512", Source: cod, BPP: "0.00024", Bytes: "8", PSNR: "10.1", LPIPS: "0.686", DISTS: "0.288"},
		{System: "AEIC-SE", Set: "Kodak", Source: aeic, BPP: "0.0041", Bytes: "201", PSNR: "19.0", MSSSIM: "0.583", LPIPS: "0.342", DISTS: "0.155"},
		{System: "AEIC-SE", Set: "CLIC 2020", Source: aeic, BPP: "0.0033", PSNR: "21.2", MSSSIM: "0.704", LPIPS: "0.272", DISTS: "0.114"},
		{System: "AEIC-SE", Set: "DIV2K", Source: aeic, BPP: "0.0037", PSNR: "18.7", MSSSIM: "0.611", LPIPS: "0.314", DISTS: "0.119"},
		{System: "StableCodec", Set: "Kodak", Source: stable, BPP: "0.0058", PSNR: "20.3", MSSSIM: "0.643", LPIPS: "0.310", DISTS: "0.152"},
		{System: "StableCodec", Set: "CLIC 2020", Source: stable, BPP: "0.0044", PSNR: "22.1", MSSSIM: "0.748", LPIPS: "0.256", DISTS: "0.119"},
		{System: "PICS", Set: "Kodak", Source: pics, BPP: "0.0163", PSNR: "11.7", MSSSIM: "0.252", LPIPS: "0.663", DISTS: "0.282"},
		{System: "PICS", Set: "CLIC 2020", Source: pics, BPP: "0.0135", PSNR: "9.7", MSSSIM: "0.222", LPIPS: "0.735", DISTS: "0.311"},
		{System: "PerCo", Set: "Kodak", Source: "PerCo (arXiv:2310.10325)", BPP: "0.003", Bytes: "< 153"},
	}
}

// publishedHeadings are the columns of the published rows.
var publishedHeadings = []string{"", "as printed in", "set", "bytes", "bpp", "DBCNN", "MUSIQ", "color", "CLIP d", "PSNR", "MS-SSIM", "LPIPS", "DISTS"}

func (p Published) cells() []string {
	return []string{p.System, p.Source, p.Set, p.Bytes, p.BPP, p.DBCNN, p.MUSIQ, p.Color, p.CLIP, p.PSNR, p.MSSSIM, p.LPIPS, p.DISTS}
}
