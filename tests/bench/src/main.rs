//! Towline measured beside `kubectl port-forward` and beside no tunnel, in one run on one cluster. Run it by `cargo xtask bench`.
//!
//! The same program is the server in the pod (`serve`), the caller (`call`), and the conductor (`run`).

mod call;
mod figures;
mod machine;
mod paths;
mod rollout;
mod run;
mod serve;

use std::net::SocketAddr;

use clap::Parser;

#[derive(Parser)]
#[command(about)]
enum Command {
    /// Answers callers on this port.
    Serve { port: u16 },
    /// Measures the way to a server and prints the figures as JSON.
    Call { server: SocketAddr },
    /// Measures everything and prints the tables.
    Run {
        /// The image, known to the cluster, that has this program as its entry point.
        #[arg(long)]
        image: String,
        /// How often each way is measured; the median counts.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// Measures names and volumes on a machine with a hosts file of its own.
    Machine,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Serve { port } => serve::serve(port).await,
        Command::Call { server } => {
            println!("{}", serde_json::to_string(&call::measure(server).await?)?);
            Ok(())
        }
        Command::Run { image, rounds } => run::run(&image, rounds).await,
        Command::Machine => machine::run().await,
    }
}
