# The first process of a test's machine: $1 is the test's directory, $2 how the hosts file is there. All else ends with it, and it with the test.
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir /run/dbus
cp -a /etc "$1/etc"
chmod 644 "$1/etc/hosts"
mount --bind "$1/etc" /etc
case $2 in
Mount) mkdir "$1/disk" ;;
MountOnSmallDisk) mkdir "$1/disk"; mount -t tmpfs -o size=16k,mode=755 tmpfs "$1/disk" ;;
esac
if [ -d "$1/disk" ]; then
    cp -a /etc/hosts "$1/disk/hosts"
    mount --bind "$1/disk/hosts" /etc/hosts
fi
ip link set lo up
useradd --no-create-home --uid 4001 alice
useradd --no-create-home --uid 4002 bob
printf 'alice:towline\nbob:towline\n' | chpasswd
mkdir -p /etc/polkit-1/rules.d
echo ready
exec cat
