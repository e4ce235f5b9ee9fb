//! `towline plan`.

pub(crate) mod text;

use towline_core::plan::Plan;
use towline_core::report::{Code, Report};
use towline_core::request::Program;

use self::text::Colour;
use crate::arguments::{Format, PlanArguments};
use crate::failure::Failure;
use crate::inside;
use crate::list::cluster;
use crate::output;
use crate::progress::Progress;
use crate::project;

pub(crate) async fn run(arguments: &PlanArguments) -> Result<(), Failure> {
    let format = arguments.output.output;
    let mut progress = Progress::new(format);
    let project = project::of_session(&arguments.session)?;
    if arguments.session.mount {
        inside::check()?;
    }
    let request = arguments.session.request(project.as_ref(), Program::StartedByUser)?;
    let mut which = arguments.session.cluster.clone();
    if let Some(project) = &project {
        project::adopt_cluster(&mut which, project);
        project::introduction(project).iter().for_each(|line| output::complain(line));
    }
    progress.step("looking at the cluster");
    let cluster = cluster(&which).await?;
    progress.step("planning the session");
    let plan = Plan::make(&cluster, &request).await?;
    progress.done();
    match format {
        Format::Json => output::json(&plan),
        Format::Text => {
            output::print(text::plan(&plan, colour()).as_bytes());
            if arguments.session.mount && !plan.volumes.is_empty() {
                output::print(inside::foretell(&plan.volumes).as_bytes());
            }
        }
    }
    if let Some(project) = &project {
        for warning in project.check(&plan)? {
            output::complain(&format!("warning: {warning}"));
        }
    }
    // Each check has been shown; the exit status says which sort of thing is in the way.
    in_the_way(&plan).map_or(Ok(()), |failure| Err(failure.in_result()))
}

/// What forbids to connect.
pub(crate) fn in_the_way(plan: &Plan) -> Option<Failure> {
    let first = plan.blockers().next()?;
    let rest = text::only_checks(plan.blockers().skip(1), Colour::Off);
    let report = Report {
        code: first.code.unwrap_or(Code::Input),
        message: first.message.clone(),
        hint: first.fix.clone(),
        detail: (!rest.is_empty()).then(|| format!("also in the way:\n{rest}")),
    };
    Some(Failure::of(report))
}

fn colour() -> Colour {
    if console::colors_enabled() { Colour::On } else { Colour::Off }
}
