//! What runs a program's code, and so which debuggers understand it.

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// Microsoft's .NET.
    DotNet,
    /// A program that Go's compiler has made.
    Go,
    /// A Java virtual machine.
    Java,
    /// Any other program of machine code: C, C++, Rust.
    Native,
    /// Node.js.
    Node,
    /// Python.
    Python,
    /// Ruby.
    Ruby,
    /// A shell: what it runs are other processes.
    Shell,
    /// Not to be seen: another user's, or it has just ended.
    Unknown,
}

impl Runtime {
    /// By the name of the executable file, where that says it.
    pub(super) fn by_name(file: &str) -> Option<Self> {
        // python3.11, ruby3.1, node-18.
        let stem = file.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
        match stem {
            "dotnet" => Some(Self::DotNet),
            "java" => Some(Self::Java),
            "node" | "nodejs" => Some(Self::Node),
            "python" | "pypy" => Some(Self::Python),
            "ruby" => Some(Self::Ruby),
            "ash" | "bash" | "busybox" | "dash" | "fish" | "ksh" | "sh" | "zsh" => {
                Some(Self::Shell)
            }
            _ => None,
        }
    }

    /// By a library that is mapped, for programs that carry their runtime.
    pub(super) fn by_library(file: &str) -> Option<Self> {
        match file.split('.').next().unwrap_or(file) {
            "libcoreclr" => Some(Self::DotNet),
            "libjvm" => Some(Self::Java),
            "libnode" => Some(Self::Node),
            "libruby" => Some(Self::Ruby),
            name if name.starts_with("libpython") => Some(Self::Python),
            _ => None,
        }
    }

    /// The variable in which the runtime's options can be, besides its command.
    pub(super) fn options_variable(self) -> Option<&'static str> {
        match self {
            Self::Java => Some("JAVA_TOOL_OPTIONS"),
            Self::Node => Some("NODE_OPTIONS"),
            _ => None,
        }
    }

    /// Where a process with these options awaits a debugger.
    pub(super) fn awaits(self, options: &[String]) -> Option<String> {
        match self {
            Self::Java => options.iter().find_map(|option| jdwp(option)),
            Self::Node => {
                // Behind the script they are the script's own.
                let own = options.iter().take_while(|option| option.starts_with('-'));
                own.filter_map(|option| inspect(option)).last()
            }
            _ => None,
        }
    }
}

/// `-agentlib:jdwp=transport=dt_socket,server=y,address=*:5005` (Java's "JPDA Connection and Invocation").
fn jdwp(option: &str) -> Option<String> {
    let settings = option
        .strip_prefix("-agentlib:jdwp=")
        .or_else(|| option.strip_prefix("-Xrunjdwp:"))?
        .split(',')
        .filter_map(|setting| setting.split_once('='));
    let value =
        |wanted: &str| settings.clone().find(|(name, _)| *name == wanted).map(|(_, value)| value);
    (value("server") == Some("y")).then(|| here(value("address")?, None)).flatten()
}

/// `--inspect`, `--inspect-brk`, `--inspect-wait`, each with `=[HOST:]PORT` (node(1)).
fn inspect(option: &str) -> Option<String> {
    const USUAL: u16 = 9229;
    let (name, address) = option.split_once('=').unwrap_or((option, ""));
    match name {
        "--inspect" | "--inspect-brk" | "--inspect-wait" => here(address, Some(USUAL)),
        _ => None,
    }
}

/// An address as somebody on this machine reaches it.
fn here(address: &str, usual: Option<u16>) -> Option<String> {
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => match address.parse().ok() {
            Some(port) => ("", port),
            None => (address, usual?),
        },
    };
    let host = match host {
        "" | "*" | "0.0.0.0" | "[::]" => "127.0.0.1",
        host => host,
    };
    // Port 0 is another one, which only its output tells.
    (port != 0).then(|| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_file_tells() {
        let of = Runtime::by_name;
        assert_eq!(of("python3.11"), Some(Runtime::Python));
        assert_eq!(of("node"), Some(Runtime::Node));
        assert_eq!(of("dash"), Some(Runtime::Shell));
        assert_eq!((of("orders"), of("nodemon-like")), (None, None));
        assert_eq!(Runtime::by_library("libpython3.11.so.1.0"), Some(Runtime::Python));
        assert_eq!(Runtime::by_library("libcoreclr.so"), Some(Runtime::DotNet));
        assert_eq!(Runtime::by_library("libc.so.6"), None);
    }

    fn awaits(runtime: Runtime, line: &str) -> Option<String> {
        runtime.awaits(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_node_says_where_its_inspector_is() {
        let node = |line: &str| awaits(Runtime::Node, line);
        assert_eq!(node("server.js --inspect"), None, "the script's own option");
        assert_eq!(node("--inspect server.js").as_deref(), Some("127.0.0.1:9229"));
        assert_eq!(node("--inspect-brk=9230 a.js").as_deref(), Some("127.0.0.1:9230"));
        assert_eq!(node("--inspect=0.0.0.0:9231 a.js").as_deref(), Some("127.0.0.1:9231"));
        assert_eq!(node("--inspect=[::1]:9231 a.js").as_deref(), Some("[::1]:9231"));
        assert_eq!(node("--inspect=0 a.js"), None, "a port that only its output tells");
        assert_eq!(node("--inspector a.js"), None);
    }

    #[test]
    fn a_java_machine_says_where_it_listens() {
        let java = |line: &str| awaits(Runtime::Java, line);
        let jdwp = "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address";
        assert_eq!(java(&format!("{jdwp}=*:5005 -jar a.jar")).as_deref(), Some("127.0.0.1:5005"));
        assert_eq!(java(&format!("-cp x {jdwp}=5006")).as_deref(), Some("127.0.0.1:5006"));
        let client = "-agentlib:jdwp=transport=dt_socket,address=ide:5005";
        assert_eq!((java(client), java("-jar a.jar")), (None, None));
    }
}
