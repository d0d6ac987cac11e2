//! The arguments that begin with `--verify` in, a verifier that has read the target once.

use std::error::Error;

use super::args::VerifyArgs;
use super::expectation;
use crate::cli::run;
use crate::generate::Target;
use crate::generate::verify::{Endpoint, Expectation, Verifier};

/// Of a scrape endpoint whose address names none.
const SCRAPE_PORT: u16 = 80;

/// Whether there is something to verify.
pub(super) enum Begun {
    NotAsked,
    Ready(Box<Verifier>),
    /// The target's configuration is wrong, which was said.
    Wrong,
}

/// `sent_to` is where the load goes.
pub(super) async fn begin(args: &VerifyArgs, sent_to: &Target) -> Result<Begun, Box<dyn Error>> {
    let Some(url) = &args.verify else {
        return Ok(Begun::NotAsked);
    };
    let target = Target::parse(url, SCRAPE_PORT)?;
    let Some(ways) = ways(args, sent_to.port(), target.port())? else {
        return Ok(Begun::Wrong);
    };
    let endpoint = Endpoint {
        target,
        is_api: args.verify_api,
        matchers: args.verify_matcher.join(","),
        is_summing: args.verify_sum,
    };
    let verifier = Verifier::begin(endpoint, ways).await?;
    Ok(Begun::Ready(Box::new(verifier)))
}

/// What the target must show: by its configuration, or by the flags. `None`: the configuration is
/// wrong, which was said.
fn ways(
    args: &VerifyArgs,
    port: u16,
    scrape_port: u16,
) -> Result<Option<Vec<Expectation>>, Box<dyn Error>> {
    let Some(config) = args.config() else {
        return Ok(Some(vec![args.expectation()?]));
    };
    let Some(settings) = run::load(&config) else {
        return Ok(None);
    };
    let mut ways = expectation::of(&settings, port, scrape_port)?;
    for way in &mut ways {
        way.ignored_labels
            .extend_from_slice(&args.verify_ignore_label);
    }
    Ok(Some(ways))
}
