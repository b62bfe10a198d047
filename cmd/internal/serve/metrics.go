package serve

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	encodeSeconds, decodeSeconds prometheus.Histogram
	decodeSteps                  prometheus.Counter
	requests                     *prometheus.CounterVec
}

// newMetrics registers the metrics of a server.
func newMetrics(s *Server) *metrics {
	m := &metrics{
		encodeSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "coclico_encode_seconds", Help: "Time from a picture's last byte to its file, waiting included.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}),
		decodeSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "coclico_decode_seconds", Help: "Time of painting a picture, without the queue.",
			Buckets: prometheus.ExponentialBuckets(0.05, 2, 16),
		}),
		decodeSteps: prometheus.NewCounter(prometheus.CounterOpts{Name: "coclico_decode_steps_total", Help: "Steps of painting."}),
		requests:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "coclico_requests_total", Help: "Answered requests."}, []string{"code", "route"}),
	}
	s.Registry.MustRegister(m.encodeSeconds, m.decodeSeconds, m.decodeSteps, m.requests,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "coclico_queue_length", Help: "Decodes that wait."}, func() float64 { return float64(s.queue.len()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "coclico_event_streams", Help: "Streams of events that are open."}, func() float64 { return float64(s.streams.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "coclico_connections", Help: "Connections that are open."}, func() float64 { return float64(s.connections.Open()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "coclico_connections_refused_total", Help: "Connections that were closed because too many were open."}, func() float64 { return float64(s.connections.Refused()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "coclico_kept_bytes", Help: "Pictures that are kept."}, func() float64 { return float64(s.decodes.kept()) }),
	)
	return m
}
