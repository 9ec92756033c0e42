//! What a value has to do with who is calling.

use std::ops::BitOr;

/// Properties of a value, as far as checks need them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Kind {
    /// The request, or a part of it that can carry a credential.
    pub(super) request: bool,
    /// A credential out of the request.
    pub(super) credential: bool,
    /// A header whose name doesn't say that it is a credential: a check of it counts when it refuses with a 401.
    pub(super) header: bool,
    /// Who is calling.
    pub(super) identity: bool,
    /// It came out of a function that verifies.
    pub(super) verified: bool,
    /// Something that was loaded.
    pub(super) loaded: bool,
    /// It was loaded for the caller: the identity is part of the query.
    pub(super) scoped: bool,
    /// An answer or error that refuses.
    pub(super) denial: bool,
    /// Data that the caller sent: body, path, query.
    pub(super) data: bool,
    /// It holds the condition that something belongs to the caller.
    pub(super) owned: bool,
    /// An SQL statement with a condition on an owner, not yet bound to anybody.
    pub(super) owner_sql: bool,
}

impl Kind {
    pub(super) const REQUEST: Self = Self {
        request: true,
        ..Self::NONE
    };
    pub(super) const CREDENTIAL: Self = Self {
        credential: true,
        ..Self::NONE
    };
    pub(super) const HEADER: Self = Self {
        header: true,
        ..Self::NONE
    };
    pub(super) const IDENTITY: Self = Self {
        identity: true,
        ..Self::NONE
    };
    pub(super) const DATA: Self = Self {
        data: true,
        ..Self::NONE
    };
    /// What Python can't even make: a name that is nothing, a call without its arguments. It raises there, so that nobody
    /// gets past it, and is taken for what will be loaded for the caller.
    pub(super) const UNMADE: Self = Self {
        loaded: true,
        scoped: true,
        ..Self::NONE
    };
    pub(super) const NONE: Self = Self {
        request: false,
        credential: false,
        header: false,
        identity: false,
        verified: false,
        loaded: false,
        scoped: false,
        denial: false,
        data: false,
        owned: false,
        owner_sql: false,
    };

    /// Whether nothing but an unnamed header is behind it.
    pub(super) fn only_header(self) -> bool {
        self.header && !(self.credential || self.identity || self.scoped)
    }

    /// Whether a condition on it asks who is calling.
    pub(super) fn asks(self) -> bool {
        self.credential || self.header || self.identity || self.scoped
    }
}

impl BitOr for Kind {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            request: self.request || other.request,
            credential: self.credential || other.credential,
            header: self.header || other.header,
            identity: self.identity || other.identity,
            verified: self.verified || other.verified,
            loaded: self.loaded || other.loaded,
            scoped: self.scoped || other.scoped,
            denial: self.denial || other.denial,
            data: self.data || other.data,
            owned: self.owned || other.owned,
            owner_sql: self.owner_sql || other.owner_sql,
        }
    }
}
