# The first process of a machine whose first process is systemd: $1 is the test's directory, $2 the hierarchy of control groups, v1 or v2. The root is an
# overlay whose changes are kept in memory, /tmp, /run and /dev are its own, and what the kernel has for the whole machine cannot be written: nothing that
# systemd does reaches outside. It knows no unit but those written here.
set -eu
mount --make-rprivate /
upper=$1/upper
root=$1/root
mkdir "$upper" "$root"
mount -t tmpfs -o mode=755 tmpfs "$upper"
mkdir "$upper/files" "$upper/work"
mount -t overlay -o "lowerdir=/,upperdir=$upper/files,workdir=$upper/work" overlay "$root"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root$1"
mount --bind "$1" "$root$1"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
    touch "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
case $2 in
v2) mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" ;;
v1)
    mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
    # No other hierarchy: those are the whole machine's.
    mount -o remount,ro "$root/sys/fs/cgroup"
    ;;
esac
cd "$root"
pivot_root . .
umount --lazy .
ip link set lo up
useradd --no-create-home --uid 4001 alice
useradd --no-create-home --uid 4002 bob

system=/etc/systemd/system
user=/etc/systemd/user
rm -rf "$system" "$user" /etc/polkit-1/rules.d
mkdir -p "$system" "$user" /etc/systemd/system.conf.d /etc/systemd/user.conf.d /etc/polkit-1/rules.d
for unit in dbus.service dbus.socket polkit.service systemd-logind.service user-runtime-dir@.service user@.service; do
    cp "/lib/systemd/system/$unit" "$system/"
done
ln -s systemd-logind.service "$system/dbus-org.freedesktop.login1.service"
mkdir "$system/user@.service.d"
printf '[Service]\nEnvironment=SYSTEMD_UNIT_PATH=%s\n' "$user" >"$system/user@.service.d/units.conf"
# systemd's own targets, with nothing behind them.
for target in sysinit basic sockets paths timers shutdown; do
    printf '[Unit]\nDefaultDependencies=no\n' | tee "$system/$target.target" >"$user/$target.target"
done
printf '[Unit]\nRequires=basic.target\nAllowIsolate=yes\n' >"$user/default.target"
printf '[Unit]\nWants=dbus.service polkit.service systemd-logind.service\nAfter=dbus.service polkit.service systemd-logind.service\n' \
    >"$system/towline-test.target"
quiet='[Manager]\nDefaultStandardOutput=null\nDefaultStandardError=null\nLogTarget=null\nDefaultTimeoutStopSec=30s\n'
printf "$quiet" | tee /etc/systemd/system.conf.d/test.conf >/etc/systemd/user.conf.d/test.conf
cat >/etc/polkit-1/rules.d/00-test.rules <<'RULES'
polkit.addRule(function(action, subject) { if (action.id == "org.freedesktop.policykit.exec") { return polkit.Result.YES; } });
RULES
chmod 644 /etc/polkit-1/rules.d/00-test.rules

# What holds ports: services that come back by themselves, and sockets of services that start when somebody connects and then listen, too.
service() {
    printf '[Service]\n%sRestart=always\nRestartSec=0\nExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 %s\n' "$2" "$1"
}
service 8001 'User=bob
' >"$system/web.service"
service 8002 '' >"$user/own.service"
service 8003 '' >"$user/others.service"
accepting='[Service]\nRestart=always\nRestartSec=0\nExecStart=/usr/bin/python3 -c "import socket, time\\nlistener = socket.socket(fileno=3)\\nlistener.accept()\\ntime.sleep(86400)"\n'
printf '[Socket]\nListenStream=127.0.0.1:8004\nListenStream=8005\n' >"$system/echo.socket"
printf "$accepting" >"$system/echo.service"
printf '[Socket]\nListenStream=127.0.0.1:8006\n' >"$user/echo.socket"
printf "$accepting" >"$user/echo.service"
echo ready
exec setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio,-syslog \
    env -i container=towline PATH=/usr/sbin:/usr/bin:/sbin:/bin "SYSTEMD_UNIT_PATH=$system" \
    /lib/systemd/systemd --unit=towline-test.target </dev/null >/dev/null 2>&1
