"""For users of `AuthService`: signing in and out, and passwords."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from storeproof.reference import tokens
from storeproof.reference.auth.entities import (
    MAX_TEXT,
    ApiKey,
    Attempts,
    Digest,
    Email,
    PasswordHash,
    Session,
    SessionId,
    User,
    UserId,
)
from storeproof.reference.auth.service.access import Principal
from storeproof.reference.auth.service.base import ServiceBase
from storeproof.reference.auth.service.exceptions import SignInRefused
from storeproof.reference.auth.service.views import IssuedSession, view_session
from storeproof.reference.exceptions import InvalidValue, NotFound
from storeproof.reference.values import canonical_text, email_fold

__all__ = ["SignIn"]

Token = TypeVar("Token", Session, ApiKey)

UNKNOWN = "unknown"
"""Subject of refused sign-ins of nobody: what was typed may be a password in the wrong field."""


class SignIn(ServiceBase):
    """Sessions and passwords. Everything that is refused is refused with the same words."""

    async def log_in(self, email: str, password: str, *, label: str = "") -> IssuedSession:
        """Opens a session for whoever knows the password; `label` says on what.

        An unknown address, a wrong password, a locked-out and a disabled user cost the same work
        and the same operations of the storage, and raise the same SignInRefused. Each is audited.
        A hash that was made with other parameters than the present ones is replaced.
        """
        canonical_text("label", label, MAX_TEXT)
        user = await self._find(email)
        reason = await self._check_password(user, password)
        if user is None or reason:
            subject = UNKNOWN if user is None else user.id
            await self._refuse(SignInRefused(), "log_in", None, subject, reason)
        hashed = await self._rehash(user, password)
        lifetime = self._policy.session_lifetime
        issued = await self._open(user.id, self._policy.session_prefix, label, lifetime)
        if not await self._still_opens(user.id, hashed, password):
            await self._storage.revoke_session(user.id, issued.session.id, self._clock())
            await self._refuse(SignInRefused(), "log_in", None, user.id, "changed meanwhile")
        await self._audit(user.id, "log_in", user.id, after=issued.session)
        return issued

    async def authenticate(self, token: str) -> Principal:
        """Who presents this token of a session or of an API key.

        Raises SignInRefused, which is not audited: there would be an entry for every guess.
        """
        if tokens.has_prefix(token, self._policy.session_prefix):
            session = await self._present(self._storage.find_session, token)
            return Principal(user=session.user, session=session.id)
        if tokens.has_prefix(token, self._policy.key_prefix):
            key = await self._present(self._storage.find_api_key, token)
            return Principal(user=key.user, key=key.id, permissions=key.permissions)
        raise SignInRefused

    async def rotate_session(self, token: str) -> IssuedSession:
        """Replaces a session's token; the old one works for `session_grace` more.

        Only the present token can be replaced, not one that is in its grace. Raises SignInRefused.
        """
        if not tokens.has_prefix(token, self._policy.session_prefix):
            raise SignInRefused
        session = await self._present(self._storage.find_session, token)
        if not tokens.same_digest(session.digest, tokens.digest_of(token)):
            raise SignInRefused
        new, digest = self._issue(self._policy.session_prefix)
        grace = self._policy.session_grace
        try:
            rotated = await self._storage.rotate_session(
                session.user, session.id, digest, self._clock(), grace
            )
        except NotFound:
            raise SignInRefused from None
        view = view_session(rotated)
        await self._audit(session.user, "rotate_session", session.user, after=view)
        return IssuedSession(token=new, session=view)

    async def log_out(self, by: Principal) -> None:
        """Ends the caller's session; its tokens stop working at once."""
        session = await self._own_session("log_out", by)
        ended = await self._storage.revoke_session(by.user, session, self._clock())
        await self._audit(by.user, "log_out", by.user, after=view_session(ended))

    async def log_out_everywhere(self, by: Principal) -> int:
        """Ends all sessions of the caller but this one; how many."""
        session = await self._own_session("log_out_everywhere", by)
        count = await self._storage.revoke_sessions(by.user, session, self._clock())
        await self._audit(by.user, "log_out_everywhere", by.user, after={"sessions": count})
        return count

    async def change_password(self, by: Principal, old: str, new: str) -> None:
        """Replaces the caller's password and ends the caller's other sessions. Keys stay.

        A wrong `old` counts as an attempt to sign in, and raises SignInRefused, as does a password
        that somebody else replaced meanwhile. Raises WeakPassword before any of that.
        """
        session = await self._own_session("change_password", by)
        user = await self._storage.get_by_id(by.user)
        self._accept(new, about(user.email, user.display_name))
        reason = await self._check_password(user, old)
        if reason:
            await self._refuse(SignInRefused(), "change_password", by.user, by.user, reason)
        hashed = await self._hash(new)
        if not await self._storage.replace_password_hash(by.user, user.password_hash, hashed):
            raise SignInRefused
        count = await self._storage.revoke_sessions(by.user, session, self._clock())
        await self._audit(by.user, "change_password", by.user, after={"sessions": count})

    async def redeem_reset(self, token: str, new: str) -> None:
        """Sets the password of the user for whom an administrator called `reset_password`.

        The token works once, and so ends, like every session of the user; a lock-out ends too.
        Raises SignInRefused, then WeakPassword, which leaves the token working.
        """
        if not tokens.has_prefix(token, self._policy.reset_prefix):
            raise SignInRefused
        session = await self._present(self._storage.find_session, token)
        user = await self._storage.get_by_id(session.user)
        self._accept(new, about(user.email, user.display_name))
        hashed = await self._hash(new)
        if not await self._storage.replace_password_hash(user.id, user.password_hash, hashed):
            raise SignInRefused
        count = await self._storage.revoke_sessions(user.id, None, self._clock())
        await self._storage.clear_attempts(user.id)
        await self._audit(user.id, "redeem_reset", user.id, after={"sessions": count})

    async def _find(self, email: str) -> User | None:
        try:
            return await self._storage.find_by_email(Email(email))
        except (InvalidValue, NotFound):
            return None

    async def _check_password(self, user: User | None, password: str) -> str:
        """Why the password does not let this user in; empty if it does. Counts the attempt.

        Whatever the answer: one comparison of a password, then one operation of the storage. The
        lock-out is decided by the latter alone, so guesses at the same time gain nothing.
        """
        matches = await self._hasher.verify(user.password_hash if user else None, password)
        ok = matches and user is not None and user.enabled
        attempts = await self._record(user.id if user else UserId(self._new_id()), ok)
        if user is None or attempts is None:
            return "unknown user"
        if attempts.locked_until is not None:
            return "locked out"
        if not user.enabled:
            return "disabled"
        return "" if ok else "wrong password"

    async def _record(self, user: UserId, ok: bool) -> Attempts | None:
        policy = self._policy.lock_out
        try:
            return await self._storage.record_attempt(user, ok, self._clock(), policy)
        except NotFound:
            return None

    async def _rehash(self, user: User, password: str) -> PasswordHash | None:
        """Replaces an outdated hash of the password just checked; gives the one now expected."""
        old = user.password_hash
        if old is None or not self._hasher.needs_rehash(old):
            return old
        new = await self._hash(password)
        return new if await self._storage.replace_password_hash(user.id, old, new) else old

    async def _still_opens(self, id: UserId, hashed: PasswordHash | None, password: str) -> bool:
        """Whether the password is still right, now that the session is there to be revoked.

        Who changes it from now on ends this session, too.
        """
        try:
            user = await self._storage.get_by_id(id)
        except NotFound:
            return False
        if not user.enabled:
            return False
        stored = user.password_hash
        return stored == hashed or await self._hasher.verify(stored, password)

    async def _open(
        self, user: UserId, prefix: str, label: str, lifetime: timedelta
    ) -> IssuedSession:
        token, digest = self._issue(prefix)
        at = self._clock()
        session = Session(
            id=SessionId(self._new_id()),
            user=user,
            digest=digest,
            label=label,
            created_at=at,
            expires_at=at + lifetime,
        )
        stored = await self._storage.create_session(session)
        return IssuedSession(token=token, session=view_session(stored))

    async def _present(
        self, find: Callable[[Digest, datetime], Awaitable[Token]], token: str
    ) -> Token:
        """What is live with this token's digest. Compares again what the storage found."""
        digest = Digest(tokens.digest_of(token))
        try:
            found = await find(digest, self._clock())
        except NotFound:
            raise SignInRefused from None
        present = tokens.same_digest(found.digest, digest)
        previous = tokens.same_digest(found.previous_digest, digest)
        if not (present or previous):
            raise SignInRefused
        return found

    async def _own_session(self, operation: str, by: Principal) -> SessionId:
        await self._require(operation, by)
        assert by.session is not None, "Access.OWN was required"
        return by.session


def about(email: str, display_name: str) -> frozenset[str]:
    """Words that a user's password must not consist of."""
    local, _, domain = email_fold(email).partition("@")
    return frozenset({local, *domain.split("."), *display_name.casefold().split()})
