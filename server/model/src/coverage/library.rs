//! Guards of libraries, whose code isn't here: what packs and names say of them.

use gatewatch_frameworks::{At, LibraryControl, Locator, packs};
use ustr::{Ustr, ustr};

use super::Cover;
use crate::control::{Effect, Order, Strength};
use crate::entry::Guard;
use crate::words::words;

impl Cover<'_> {
    pub(super) fn external(&mut self, guard: &Guard, name: Ustr, args: &[(Option<Ustr>, Ustr)]) {
        let Some(control) = packs().control(name) else {
            // A name that nothing defines, half-typed or forgotten: whatever it will be.
            if self.is_attribute(guard) {
                return;
            }
            if words().is_undefined(&name) {
                self.perhaps(guard);
                return;
            }
            // A name that only a library knows: if it sounds like a guard, it may be one.
            let last = name.rsplit('.').next().unwrap_or_default();
            // Or a method of one, that packs don't know.
            let mut of = name.as_str();
            let mut of_guard = false;
            while let Some((base, _)) = of.rsplit_once('.') {
                of = base;
                of_guard |= packs()
                    .control(ustr(of))
                    .is_some_and(|control| !control.effects.is_empty());
            }
            if of_guard || words().sounds_like_guard(last) {
                self.perhaps(guard);
            }
            return;
        };
        let strength = match control.strength.as_str() {
            "enforcing" => Strength::Enforcing,
            "optional" => Strength::Optional,
            "advisory" => Strength::Advisory,
            _ => Strength::Unknown,
        };
        let strength = if weakened(control, args) {
            strength.min(Strength::Optional)
        } else {
            strength
        };
        let strength = match self.exempted(guard, &guard.except) {
            Some(true) => return,
            Some(false) => strength,
            None => strength.min(Strength::Unknown),
        };
        let mut demands: Vec<Ustr> = args
            .iter()
            // `status_code=401`, `redirect="login"` say how it denies, not what it demands.
            .filter(|(name, _)| {
                name.is_none_or(|name| !matches!(name.as_str(), "status_code" | "redirect"))
            })
            .filter(|(_, text)| !is_manner(text))
            .flat_map(|(_, text)| text.split(','))
            .filter(|text| !text.is_empty())
            .map(ustr)
            .collect();
        demands.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        // Of roles one is enough.
        let role = |text: &str| text.to_lowercase().contains("role");
        let every = !control.one_is_enough
            && !role(&name)
            && !args
                .iter()
                .any(|(given, _)| given.is_some_and(|g| role(&g)));
        for effect in &control.effects {
            let (effect, demands) = match effect.as_str() {
                "authentication" => (Effect::Authentication, Vec::new()),
                "authorization" => {
                    // `requires("authenticated")` asks for no more than an identity.
                    if !demands.is_empty() && demands.iter().all(|demand| demand == "authenticated")
                    {
                        continue;
                    }
                    (Effect::Authorization, demands.clone())
                }
                "ownership" => (Effect::Ownership, Vec::new()),
                _ => continue,
            };
            self.push(
                guard,
                effect,
                strength,
                None,
                (demands, every),
                Order::Before,
            );
        }
        if let Some(with) = &control.authorizes_with
            && with.alternatives.iter().any(|at| matches!(at, At::Named(name) if args.iter().any(|(own, _)| *own == Some(*name))))
        {
            self.push(guard, Effect::Authorization, strength, None, (demands, every), Order::Before);
        }
    }

    /// A guard that may find out who calls; nobody can tell.
    fn perhaps(&mut self, guard: &Guard) {
        self.push(
            guard,
            Effect::Authentication,
            Strength::Unknown,
            None,
            (Vec::new(), false),
            Order::Before,
        );
    }
}

/// Whether an argument says how a library's guard denies, and not what it demands: a status, a switch.
fn is_manner(text: &str) -> bool {
    matches!(text, "true" | "false" | "null")
        || text
            .parse()
            .is_ok_and(|status: u16| (300..600).contains(&status))
}

/// Whether an argument turns a library's control off or makes it optional.
fn weakened(control: &LibraryControl, args: &[(Option<Ustr>, Ustr)]) -> bool {
    let Some(when) = &control.optional_when else {
        return false;
    };
    // One of several that may do: `authenticate(["jwt", "anonymous"])`.
    found_in(&when.at, args)
        .is_some_and(|text| text.split(',').any(|part| part == when.is.as_str()))
}

fn found_in(locator: &Locator, args: &[(Option<Ustr>, Ustr)]) -> Option<Ustr> {
    locator.alternatives.iter().find_map(|at| match at {
        At::Named(name) => args
            .iter()
            .find(|(own, _)| *own == Some(*name))
            .map(|(_, text)| *text),
        At::Position(index) => args
            .iter()
            .filter(|(name, _)| name.is_none())
            .nth(*index)
            .map(|(_, text)| *text),
        At::Entry(of, entry) => {
            let dict = match &**of {
                At::Position(index) => args.iter().filter(|(name, _)| name.is_none()).nth(*index),
                At::Named(name) => args.iter().find(|(own, _)| *own == Some(*name)),
                _ => None,
            }?;
            let prefix = format!("{entry}:");
            dict.1
                .split(',')
                .find_map(|part| part.strip_prefix(prefix.as_str()))
                .map(ustr)
        }
        _ => None,
    })
}
