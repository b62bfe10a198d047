package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/queue"
	"github.com/coclico/coclico/cmd/internal/process"
)

// accepted checks that the program takes a command line.
func accepted(t *testing.T, args ...string) {
	t.Helper()
	started := false
	root := rootCmd(new(program), &started)
	cmd, rest, err := root.Find(args)
	if err != nil || cmd == root {
		t.Errorf("%q: command %v, error %v", args, cmd.Name(), err)
		return
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%q: %v", args, err)
		return
	}
	for _, check := range []func() error{
		cmd.ValidateRequiredFlags,
		cmd.ValidateFlagGroups,
		func() error { return cmd.ValidateArgs(cmd.Flags().Args()) },
	} {
		if err := check(); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// A scaledObject is what KEDA documents, and what scale.yaml may use, of its
// ScaledObject with a nats-jetstream trigger.
type scaledObject struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ScaleTargetRef struct {
			APIVersion             string `json:"apiVersion"`
			Kind                   string `json:"kind"`
			Name                   string `json:"name"`
			EnvSourceContainerName string `json:"envSourceContainerName"`
		} `json:"scaleTargetRef"`
		PollingInterval  int32 `json:"pollingInterval"`
		CooldownPeriod   int32 `json:"cooldownPeriod"`
		IdleReplicaCount int32 `json:"idleReplicaCount"`
		MinReplicaCount  int32 `json:"minReplicaCount"`
		MaxReplicaCount  int32 `json:"maxReplicaCount"`
		Triggers         []struct {
			Type     string `json:"type"`
			Name     string `json:"name"`
			Metadata struct {
				NATSServerMonitoringEndpoint string `json:"natsServerMonitoringEndpoint"`
				Account                      string `json:"account"`
				Stream                       string `json:"stream"`
				Consumer                     string `json:"consumer"`
				LagThreshold                 string `json:"lagThreshold"`
				ActivationLagThreshold       string `json:"activationLagThreshold"`
				UseHTTPS                     string `json:"useHttps"`
			} `json:"metadata"`
		} `json:"triggers"`
	} `json:"spec"`
}

// A cluster is what the files in deploy/kubernetes describe.
type cluster struct {
	jobs         []batchv1.Job
	deployments  []appsv1.Deployment
	statefulSets []appsv1.StatefulSet
	services     []corev1.Service
	accounts     []corev1.ServiceAccount
	claims       []corev1.PersistentVolumeClaim
	policies     []networkingv1.NetworkPolicy
	scaled       []scaledObject
}

// decode appends to a list the object of a document, which may have no field
// that its type lacks, and no field twice.
func decode[T any](t *testing.T, list *[]T, document []byte) {
	t.Helper()
	var object T
	if err := yaml.UnmarshalStrict(document, &object); err != nil {
		t.Errorf("%v in\n%s", err, document)
	}
	*list = append(*list, object)
}

func readCluster(t *testing.T) *cluster {
	t.Helper()
	names, err := filepath.Glob("deploy/kubernetes/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	c := new(cluster)
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(data, []byte("\n---\n")) {
			var kind metav1.TypeMeta
			if err := yaml.Unmarshal(document, &kind); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			switch kind.APIVersion + " " + kind.Kind {
			case "batch/v1 Job":
				decode(t, &c.jobs, document)
			case "apps/v1 Deployment":
				decode(t, &c.deployments, document)
			case "apps/v1 StatefulSet":
				decode(t, &c.statefulSets, document)
			case "v1 Service":
				decode(t, &c.services, document)
			case "v1 ServiceAccount":
				decode(t, &c.accounts, document)
			case "v1 PersistentVolumeClaim":
				decode(t, &c.claims, document)
			case "networking.k8s.io/v1 NetworkPolicy":
				decode(t, &c.policies, document)
			case "keda.sh/v1alpha1 ScaledObject":
				decode(t, &c.scaled, document)
			default:
				t.Errorf("%s: unknown %s %s", name, kind.APIVersion, kind.Kind)
			}
		}
	}
	for _, list := range []int{len(c.jobs), len(c.deployments), len(c.statefulSets), len(c.services), len(c.accounts), len(c.claims), len(c.policies), len(c.scaled)} {
		if list != 1 {
			t.Fatalf("want one object of each kind: %+v", c)
		}
	}
	return c
}

// pods returns the pod templates by the names of their owners.
func (c *cluster) pods() map[string]*corev1.PodTemplateSpec {
	return map[string]*corev1.PodTemplateSpec{
		c.jobs[0].Name:         &c.jobs[0].Spec.Template,
		c.deployments[0].Name:  &c.deployments[0].Spec.Template,
		c.statefulSets[0].Name: &c.statefulSets[0].Spec.Template,
	}
}

// TestKubernetesCommands: every command line is one that the program takes, and
// none holds a secret.
func TestKubernetesCommands(t *testing.T) {
	for name, pod := range readCluster(t).pods() {
		for _, c := range pod.Spec.Containers {
			if len(c.Command) != 0 {
				t.Errorf("%s: the image has an entry point already", name)
			}
			accepted(t, c.Args...)
			for _, e := range c.Env {
				if strings.Contains(e.Name, "TOKEN") || strings.Contains(e.Name, "SECRET") || strings.Contains(e.Name, "KEY") {
					t.Errorf("%s: %s is in the environment", name, e.Name)
				}
			}
		}
	}
}

// TestKubernetesSecurity: pods run as the image's user without any privilege,
// and write to volumes alone.
func TestKubernetesSecurity(t *testing.T) {
	for name, pod := range readCluster(t).pods() {
		s := pod.Spec.SecurityContext
		if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser != 65532 ||
			s.FSGroup == nil || s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: pod's security context is %+v", name, s)
		}
		if p := pod.Spec; p.HostNetwork || p.HostPID || p.HostIPC || p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken {
			t.Errorf("%s: pod shares the host's namespaces, or has an account's token", name)
		}
		for _, c := range pod.Spec.Containers {
			s := c.SecurityContext
			if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
				s.Privileged != nil || s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || s.Capabilities.Add != nil {
				t.Errorf("%s: container's security context is %+v", name, s)
			}
		}
		for _, v := range pod.Spec.Volumes {
			if v.HostPath != nil {
				t.Errorf("%s: volume %s is the host's", name, v.Name)
			}
			// guard.ReadToken refuses what others can read.
			if s := v.Secret; s != nil && v.Name != "ca" && (s.DefaultMode == nil || *s.DefaultMode&0o027 != 0) {
				t.Errorf("%s: volume %s can be read by others", name, v.Name)
			}
		}
	}
}

// TestKubernetesMemory: what a pod asks for holds what was measured (README,
// "At full size"), and the garbage collector knows its limit.
func TestKubernetesMemory(t *testing.T) {
	const encode = 61 << 30 / 100
	for name, pod := range readCluster(t).pods() {
		for _, c := range pod.Spec.Containers {
			request, limit := c.Resources.Requests.Memory().Value(), c.Resources.Limits.Memory().Value()
			i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == "GOMEMLIMIT" })
			if i < 0 {
				t.Errorf("%s: no GOMEMLIMIT", name)
				continue
			}
			goLimit := goMemory(t, c.Env[i].Value)
			if request > limit || goLimit < limit*7/10 || goLimit > limit*85/100 {
				t.Errorf("%s: request %d, GOMEMLIMIT %d, limit %d", name, request, goLimit, limit)
			}
			if c.Args[0] == "work" && request < encode {
				t.Errorf("%s: request of %d bytes does not hold an encode", name, request)
			}
			if c.Resources.Requests.Cpu().IsZero() || !c.Resources.Limits.Cpu().IsZero() {
				t.Errorf("%s: want a request of processors and no limit, which throttles", name)
			}
		}
	}
}

// goMemory parses a number of MiB as GOMEMLIMIT has it.
func goMemory(t *testing.T, s string) int64 {
	t.Helper()
	var n int64
	digits, ok := strings.CutSuffix(s, "MiB")
	if err := json.Unmarshal([]byte(digits), &n); err != nil || !ok {
		t.Errorf("GOMEMLIMIT=%s is no number of MiB", s)
	}
	return n << 20
}

// TestKubernetesReferences: names that must agree do.
func TestKubernetesReferences(t *testing.T) {
	c := readCluster(t)
	for name, pod := range c.pods() {
		if pod.Spec.ServiceAccountName != c.accounts[0].Name {
			t.Errorf("%s: no account %s", name, pod.Spec.ServiceAccountName)
		}
		if s := pod.Spec.TerminationGracePeriodSeconds; s == nil || *s != 60 {
			t.Errorf("%s: grace period is not 60 s", name)
		}
		volumes := map[string]bool{}
		for _, v := range pod.Spec.Volumes {
			volumes[v.Name] = true
			if p := v.PersistentVolumeClaim; p != nil && p.ClaimName != c.claims[0].Name {
				t.Errorf("%s: no claim %s", name, p.ClaimName)
			}
		}
		if name == c.statefulSets[0].Name {
			volumes[c.statefulSets[0].Spec.VolumeClaimTemplates[0].Name] = true
		}
		for _, container := range pod.Spec.Containers {
			checkContainer(t, name, container, volumes)
		}
	}
	for _, s := range []struct {
		name     string
		selector *metav1.LabelSelector
		pod      *corev1.PodTemplateSpec
	}{
		{"Deployment", c.deployments[0].Spec.Selector, &c.deployments[0].Spec.Template},
		{"StatefulSet", c.statefulSets[0].Spec.Selector, &c.statefulSets[0].Spec.Template},
		{"Service", &metav1.LabelSelector{MatchLabels: c.services[0].Spec.Selector}, &c.statefulSets[0].Spec.Template},
		{"NetworkPolicy", &c.policies[0].Spec.PodSelector, &c.statefulSets[0].Spec.Template},
		{"NetworkPolicy's peer", c.policies[0].Spec.Ingress[0].From[0].PodSelector, &c.deployments[0].Spec.Template},
	} {
		selector, err := metav1.LabelSelectorAsMap(s.selector)
		if err != nil || len(selector) == 0 {
			t.Errorf("%s: selector is %v, error %v", s.name, selector, err)
		}
		for key, value := range selector {
			if s.pod.Labels[key] != value {
				t.Errorf("%s: selects %s=%s, the pods have %q", s.name, key, value, s.pod.Labels[key])
			}
		}
	}
	at := fmt.Sprintf("--queue=tls://%s:%d", c.services[0].Name, c.services[0].Spec.Ports[0].Port)
	if args := c.deployments[0].Spec.Template.Spec.Containers[0].Args; !slices.Contains(args, at) {
		t.Errorf("the workers do not ask the Service, %s: %q", at, args)
	}
	if c.statefulSets[0].Spec.ServiceName != c.services[0].Name || *c.statefulSets[0].Spec.Replicas != 1 {
		t.Error("the StatefulSet is not one pod of the Service")
	}
}

// checkContainer checks the files that a command line names, the mounts, and the
// probes, which must ask the admin listener.
func checkContainer(t *testing.T, name string, c corev1.Container, volumes map[string]bool) {
	t.Helper()
	for _, m := range c.VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("%s: no volume %s", name, m.Name)
		}
	}
	paths := slices.Clone(c.Args)
	for _, e := range c.Env {
		paths = append(paths, e.Name+"="+e.Value)
	}
	for _, arg := range paths {
		_, path, _ := strings.Cut(arg, "=")
		if strings.HasPrefix(path, "/") && !slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool {
			return path == m.MountPath || strings.HasPrefix(path, m.MountPath+"/")
		}) {
			t.Errorf("%s: %s is in no volume", name, arg)
		}
	}
	ports := map[string]int32{}
	for _, p := range c.Ports {
		ports[p.Name] = p.ContainerPort
	}
	if ports["admin"] != 9090 || !strings.Contains(strings.Join(c.Args, " "), "0.0.0.0:9090") {
		t.Errorf("%s: the admin listener is not at port 9090", name)
	}
	if port, listens := ports["nats"]; listens && !slices.Contains(c.Args, fmt.Sprintf("--listen=0.0.0.0:%d", port)) {
		t.Errorf("%s: the queue is not at port %d", name, port)
	}
	for _, probe := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
		if probe == nil {
			continue // of a Job: nobody connects to it
		}
		if g := probe.HTTPGet; g == nil || g.Port.StrVal != "admin" || g.Path != "/healthz" && g.Path != "/readyz" {
			t.Errorf("%s: probe %+v does not ask the admin listener", name, probe)
		}
	}
	if p := c.LivenessProbe; p == nil || p.HTTPGet.Path != "/healthz" {
		t.Errorf("%s: a program that is not ready would be killed", name)
	}
}

// TestKubernetesJob: the program's statuses and the number of shards.
func TestKubernetesJob(t *testing.T) {
	spec := readCluster(t).jobs[0].Spec
	if spec.CompletionMode == nil || *spec.CompletionMode != batchv1.IndexedCompletion || spec.BackoffLimitPerIndex == nil ||
		*spec.Completions > 1e5 || spec.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
		t.Errorf("job is %+v", spec)
	}
	rules := spec.PodFailurePolicy.Rules
	if len(rules) != 2 || !slices.Equal(rules[0].OnExitCodes.Values, []int32{process.Usage, statusRefused, statusFull}) || rules[0].Action != batchv1.PodFailurePolicyActionFailJob ||
		rules[1].OnPodConditions[0].Type != corev1.DisruptionTarget || rules[1].Action != batchv1.PodFailurePolicyActionIgnore {
		t.Errorf("rules are %+v", rules)
	}
	for _, c := range spec.Template.Spec.Containers {
		if c.Name != *rules[0].OnExitCodes.ContainerName {
			t.Errorf("the rule is about container %s, not %s", *rules[0].OnExitCodes.ContainerName, c.Name)
		}
		checkShards(t, c, *spec.Completions)
	}
}

// TestScaledObject: KEDA asks the queue's admin listener, by a name that it lets
// in, about the stream of the workers that it scales.
func TestScaledObject(t *testing.T) {
	c := readCluster(t)
	spec := c.scaled[0].Spec
	if spec.ScaleTargetRef.Name != c.deployments[0].Name || spec.ScaleTargetRef.Kind != "" || len(spec.Triggers) != 1 {
		t.Fatalf("scales %+v by %+v", spec.ScaleTargetRef, spec.Triggers)
	}
	m := spec.Triggers[0].Metadata
	if spec.Triggers[0].Type != "nats-jetstream" || m.LagThreshold != "2" || m.Account != "$G" || m.Stream != queue.DefaultStream || m.Consumer != new(job.Job).Work() {
		t.Errorf("trigger is %+v", spec.Triggers[0])
	}
	host, port, _ := strings.Cut(m.NATSServerMonitoringEndpoint, ":")
	if port != "9090" || !strings.HasPrefix(host, c.services[0].Name+".") {
		t.Errorf("endpoint %s is not the queue's admin listener", m.NATSServerMonitoringEndpoint)
	}
	if args := c.statefulSets[0].Spec.Template.Spec.Containers[0].Args; !slices.Contains(args, "--allow-host="+host) {
		t.Errorf("the queue does not let in requests for %s: %q", host, args)
	}
	if *c.deployments[0].Spec.Template.Spec.TerminationGracePeriodSeconds < 60 || c.deployments[0].Spec.Replicas != nil {
		t.Error("KEDA and the file would both set replicas")
	}
}

// checkShards checks that the program finds the shard of an index among all.
func checkShards(t *testing.T, c corev1.Container, completions int32) {
	t.Helper()
	i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == shardsVar })
	if i < 0 || !slices.Contains(c.Args, "auto") {
		t.Errorf("no %s in the environment: %+v", shardsVar, c.Env)
		return
	}
	last := strconv.Itoa(int(completions) - 1)
	got, err := autoShard(func(name string) (string, bool) {
		switch name {
		case shardsVar:
			return c.Env[i].Value, true
		case "JOB_COMPLETION_INDEX":
			return last, true
		}
		return "", false
	})
	if want := (shard{int(completions) - 1, int(completions)}); err != nil || got != want {
		t.Errorf("the last index is shard %v, error %v; want %v", got, err, want)
	}
}
