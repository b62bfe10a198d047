//go:build linux && amd64

// Emulate runs a test binary on processors that the machine at hand is not: it
// boots Linux under Bochs, with itself as init.
//
//	go test -c -o /tmp/kernels.test ./kernels
//	go run ./bench/emulate -dir DIR -processor bf16 /tmp/kernels.test -test.run=Strip -test.v
//
// DIR is what the script setup made. The exit status is that of the tests. See
// README.md.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// processors are models of Bochs. Left out are features that stop Linux under
// Bochs (paging with five levels, in system management mode) or that nothing
// here needs.
var processors = map[string]string{
	"amx":    `model=sapphire_rapids, exclude_features="la57, cet, uintr, pks, waitpkg, mwait"`,
	"bf16":   `model=sapphire_rapids, exclude_features="la57, cet, uintr, pks, waitpkg, mwait, amx, amx_int8, amx_bf16"`,
	"avx512": `model=corei7_skylake_x`,
	"avx2":   `model=corei7_haswell_4770`,
}

func main() {
	if os.Getpid() == 1 {
		guest()
		return
	}
	dir := flag.String("dir", "/tmp/coclico-emulator", "the folder that setup made")
	processor := flag.String("processor", "bf16", "amx, bf16, avx512 or avx2")
	limit := flag.Duration("limit", 20*time.Minute, "give up after this time")
	flag.Parse()
	model := processors[*processor]
	if flag.NArg() == 0 || model == "" {
		flag.Usage()
		os.Exit(2)
	}
	ok, err := emulate(*dir, model, *limit, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "emulate:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

// emulate boots Linux, runs a command and copies its output. It reports whether
// the command succeeded.
func emulate(dir, model string, limit time.Duration, command []string) (bool, error) {
	temp, err := os.MkdirTemp("", "emulate")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(temp)
	if err := image(dir, temp, command); err != nil {
		return false, err
	}
	config := fmt.Sprintf(`display_library: nogui
cpu: %s, count=1, ips=50000000, reset_on_triple_fault=0
memory: guest=1024, host=1024
romimage: file=%[2]s/BIOS-bochs-latest
vgaromimage: file=%[2]s/vgabios.bin
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=%[3]s/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=%[3]s/serial
log: /dev/null
error: action=ignore
panic: action=fatal
clock: sync=none
`, model, dir, temp)
	if err := os.WriteFile(filepath.Join(temp, "bochsrc"), []byte(config), 0o600); err != nil {
		return false, err
	}
	// A signal for statistics can interrupt Bochs while it holds a lock that
	// the signal's handler takes.
	bochs := exec.Command("env", "--block-signal=ALRM", filepath.Join(dir, "bochs"), "-q", "-f", filepath.Join(temp, "bochsrc"))
	if err := bochs.Start(); err != nil {
		return false, err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- bochs.Wait() }()
	defer bochs.Process.Kill()
	return follow(filepath.Join(temp, "serial"), stopped, time.After(limit))
}

// follow copies the serial console to the standard output until the guest has
// reported its result.
func follow(name string, stopped <-chan error, limit <-chan time.Time) (bool, error) {
	var all []byte
	for end := false; ; {
		if b, err := os.ReadFile(name); err == nil && len(b) > len(all) {
			os.Stdout.Write(b[len(all):])
			all = b
		}
		if _, rest, ok := bytes.Cut(all, []byte(resultMark)); ok && bytes.IndexByte(rest, '\n') >= 0 {
			return bytes.HasPrefix(rest, []byte("<nil>")), nil
		}
		if end || bytes.Contains(all, []byte("Kernel panic")) {
			return false, errors.New("the guest stopped without a result")
		}
		select {
		case <-stopped:
			end = true // after one more look
		case <-limit:
			return false, errors.New("time is up")
		case <-time.After(time.Second / 2):
		}
	}
}

// image writes boot.iso: isolinux, a kernel, and an initial file system of this
// program, the command's program and its arguments.
func image(dir, temp string, command []string) error {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	program, err := os.ReadFile(command[0])
	if err != nil {
		return err
	}
	arguments, err := json.Marshal(command[1:])
	if err != nil {
		return err
	}
	var cpio bytes.Buffer
	entry(&cpio, "dev", 0o40755, 0, 0, nil)
	entry(&cpio, "dev/console", 0o20600, 5, 1, nil)
	entry(&cpio, "init", 0o100755, 0, 0, self)
	entry(&cpio, "program", 0o100755, 0, 0, program)
	entry(&cpio, "arguments", 0o100644, 0, 0, arguments)
	entry(&cpio, "TRAILER!!!", 0, 0, 0, nil)

	root := filepath.Join(temp, "root", "isolinux")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"isolinux.bin", "ldlinux.c32", "vmlinuz"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("%w (run bench/emulate/setup first)", err)
		}
		if err := os.WriteFile(filepath.Join(root, name), b, 0o600); err != nil {
			return err
		}
	}
	const menu = "DEFAULT linux\nPROMPT 0\nLABEL linux\n KERNEL vmlinuz\n INITRD initrd\n" +
		" APPEND console=ttyS0 quiet loglevel=0 mitigations=off nopti nokaslr panic=0 apparmor=0 audit=0\n"
	if err := os.WriteFile(filepath.Join(root, "isolinux.cfg"), []byte(menu), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "initrd"), cpio.Bytes(), 0o600); err != nil {
		return err
	}
	iso := exec.Command(filepath.Join(dir, "genisoimage"), "-quiet", "-o", filepath.Join(temp, "boot.iso"), "-b", "isolinux/isolinux.bin",
		"-c", "isolinux/boot.cat", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", filepath.Dir(root))
	iso.Stderr = os.Stderr
	return iso.Run()
}

// entry writes one file of an archive in cpio's "newc" format.
func entry(w io.Writer, name string, mode, major, minor int, data []byte) {
	pad := func(n int) string { return strings.Repeat("\x00", -n&3) }
	head := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		0, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name)+1, 0, name)
	fmt.Fprint(w, head, pad(len(head)))
	w.Write(data)
	fmt.Fprint(w, pad(len(data)))
}
