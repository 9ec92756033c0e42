//! The codes of findings with what is published about them.

use std::fmt;

use serde::Serialize;

use crate::finding::Severity;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $severity:ident, cwe $cwe:expr, stride $stride:expr, api $api:expr, top $top:expr, $control:literal;)*) => {
        /// What kind of change a finding reports. Stable: it is the diagnostic's code and the SARIF rule.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, as configuration and reports write it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Its severity where nothing raises or lowers it.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// Where it stands in published catalogues.
            pub fn taxonomy(self) -> Taxonomy {
                match self { $(Self::$variant => Taxonomy { cwe: $cwe, stride: $stride, owasp_api: $api, owasp_top10: $top },)* }
            }

            /// The control that should exist.
            pub fn expected_control(self) -> &'static str {
                match self { $(Self::$variant => $control,)* }
            }
        }
    };
}

/// Where a code stands in published catalogues: CWE numbers, STRIDE letters, OWASP API Security Top 10
/// 2023 and OWASP Top 10 2025.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Taxonomy {
    /// CWE numbers.
    pub cwe: &'static [u16],
    /// STRIDE letters.
    pub stride: &'static [&'static str],
    /// OWASP API Security Top 10.
    pub owasp_api: &'static [&'static str],
    /// OWASP Top 10.
    pub owasp_top10: &'static [&'static str],
}

codes! {
    /// A new entry point that nothing in front of it authenticates.
    PublicEntryPointAdded = "public-entry-point-added", Warning, cwe &[306], stride &["S", "E"], api &["API2:2023", "API9:2023"], top &["A01:2025"], "authentication at router scope, or an explicit public marker";
    /// Methods or path pattern accept more than before.
    EntryPointWidened = "entry-point-widened", Warning, cwe &[183], stride &["T", "E"], api &["API9:2023"], top &["A06:2025"], "closed schema, named methods";
    /// An allowlist of public paths or an exemption grew.
    PublicMarkerAdded = "public-marker-added", Warning, cwe &[306], stride &["S"], api &["API2:2023"], top &["A01:2025"], "owner and reason";
    /// An entry point lost its authentication.
    AuthenticationRemoved = "authentication-removed", Error, cwe &[306], stride &["S"], api &["API2:2023"], top &["A07:2025"], "the guard it had";
    /// Authentication became optional or unverified.
    AuthenticationWeakened = "authentication-weakened", Error, cwe &[287, 347], stride &["S"], api &["API2:2023"], top &["A07:2025"], "enforcing guard";
    /// A role, scope, permission or policy check was lost.
    AuthorizationRemoved = "authorization-removed", Error, cwe &[862, 285], stride &["E"], api &["API5:2023"], top &["A01:2025"], "the check it had";
    /// A role or scope was widened.
    AuthorizationWeakened = "authorization-weakened", Warning, cwe &[863], stride &["E"], api &["API5:2023"], top &["A01:2025"], "least privilege";
    /// An object-level or tenant predicate was lost.
    OwnershipCheckRemoved = "ownership-check-removed", Error, cwe &[639], stride &["I", "T", "E"], api &["API1:2023"], top &["A01:2025"], "scoped query or object check";
    /// The check stands behind the load of what it protects.
    AuthorizationAfterFetch = "authorization-after-fetch", Warning, cwe &[862, 696], stride &["I"], api &["API1:2023"], top &["A01:2025"], "check before, or scoped load";
    /// The check stands behind a write or side effect.
    AuthorizationAfterWrite = "authorization-after-write", Error, cwe &[696], stride &["T", "E"], api &["API1:2023", "API5:2023"], top &["A01:2025"], "guard before effect";
    /// A guard is written but can't run.
    GuardInert = "guard-inert", Error, cwe &[696, 670], stride &["E"], api &["API5:2023"], top &["A01:2025"], "order it right";
    /// A guard still stands, but no longer denies.
    GuardGutted = "guard-gutted", Error, cwe &[863], stride &["E"], api &["API5:2023"], top &["A01:2025"], "the denial it had";
    /// Coverage is the same, but moved from a central place to single ones.
    ControlScattered = "control-scattered", Info, cwe &[637], stride &["E"], api &["API5:2023"], top &["A06:2025"], "central policy";
    /// Routes beside it are guarded, this new or changed one is not.
    SiblingUnguarded = "sibling-unguarded", Warning, cwe &[862], stride &["E"], api &["API5:2023"], top &["A01:2025"], "router-level policy";
    /// A new path reaches a protected function without the guard.
    GuardBypassed = "guard-bypassed", Error, cwe &[288, 862], stride &["E"], api &["API5:2023"], top &["A01:2025"], "guard at the function";
    /// The configuration can't be read.
    ConfigurationInvalid = "configuration-invalid", Error, cwe &[], stride &[], api &[], top &[], "a configuration that can be read";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
