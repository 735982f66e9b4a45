package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// shell runs a program of the system that a disk takes, also when ctx has ended: what was mounted is to be unmounted.
func shell(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(context.WithoutCancel(ctx), name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// able says what is missing for disks of our own.
func able() error {
	if os.Geteuid() != 0 {
		return errors.New("small disks are mounted, which takes root")
	}
	for _, name := range []string{"mkfs.ext4", "mount", "umount", "fsfreeze", "cp"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%w; on Debian: apt-get install e2fsprogs util-linux mount", err)
		}
	}
	return nil
}

// mounted is a file system of our own.
type mounted struct{ dir string }

// ext4 makes an image of so many bytes with a file system in it.
func ext4(ctx context.Context, image string, size int64) error {
	f, err := os.Create(image)
	if err == nil {
		err = errors.Join(f.Truncate(size), f.Close())
	}
	if err != nil {
		return err
	}
	return shell(ctx, "mkfs.ext4", "-q", "-F", image)
}

// mountImage mounts the file system in image on dir, which it makes. Its journal is replayed, as after a power cut.
func mountImage(ctx context.Context, image, dir string) (*mounted, error) {
	return mountOn(ctx, dir, "-o", "loop", image)
}

// mountMemory mounts a file system of so many bytes in memory on dir, which it makes.
func mountMemory(ctx context.Context, size int64, dir string) (*mounted, error) {
	return mountOn(ctx, dir, "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", size), "tmpfs")
}

func mountOn(ctx context.Context, dir string, args ...string) (*mounted, error) {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = shell(ctx, "mount", append(args, dir)...)
	}
	return &mounted{dir}, err
}

// unmount waits until all is written, and takes the file system away.
func (m *mounted) unmount(ctx context.Context) error { return shell(ctx, "umount", m.dir) }

// device is a disk that can be stopped in time: an image on a file system that is frozen, so that nothing the file system
// on the image writes reaches it any more. What programs wrote and nobody synced is not in it. What was given to the disk
// is: a disk that loses its own cache although it was told to flush it is not part of this.
type device struct {
	below *mounted // holds the image
	image string
	disk  *mounted // the file system on the image
}

// newDevice makes a disk of so many bytes below dir.
func newDevice(ctx context.Context, dir string, size int64) (d *device, err error) {
	below := filepath.Join(dir, "below.img")
	if err := ext4(ctx, below, 2*size); err != nil {
		return nil, err
	}
	d = &device{}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.remove(ctx))
		}
	}()
	m, err := mountImage(ctx, below, filepath.Join(dir, "below"))
	if err != nil {
		return d, err
	}
	d.below, d.image = m, filepath.Join(m.dir, "disk")
	if err := ext4(ctx, d.image, size); err != nil {
		return d, err
	}
	d.disk, err = mountImage(ctx, d.image, filepath.Join(dir, "disk"))
	if err != nil {
		d.disk = nil
	}
	return d, err
}

// cut stops the disk, calls then, and gives a copy of what is on it in a file. The disk then goes on as if nothing was.
func (d *device) cut(ctx context.Context, copied string, then func()) error {
	if err := shell(ctx, "fsfreeze", "--freeze", d.below.dir); err != nil {
		return err
	}
	err := shell(ctx, "cp", "--sparse=always", d.image, copied)
	then()
	return errors.Join(err, shell(ctx, "fsfreeze", "--unfreeze", d.below.dir))
}

// become puts a copy in place of what the disk has now: what the machine finds when the power is back.
func (d *device) become(ctx context.Context, copied string) error {
	if err := d.disk.unmount(ctx); err != nil {
		return err
	}
	dir := d.disk.dir
	d.disk = nil
	if err := shell(ctx, "cp", "--sparse=always", copied, d.image); err != nil {
		return err
	}
	m, err := mountImage(ctx, d.image, dir)
	if err == nil {
		d.disk = m
	}
	return err
}

// remove unmounts all.
func (d *device) remove(ctx context.Context) (err error) {
	for _, m := range []*mounted{d.disk, d.below} {
		if m != nil {
			err = errors.Join(err, m.unmount(ctx))
		}
	}
	return err
}
