"""Who asks, and in whose name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.oracle.world import Case, Cases, b64

if TYPE_CHECKING:
    from tests.contract.oracle.world import World

CASES = Cases()


# Who asks.


@CASES.case
def _token_flag_over_kubeconfig_token(the: World) -> Case:
    the.write("config", the.config())
    return Case(flags={"token": "from-the-flag"})


@CASES.case
def _token_file_relative_and_trimmed(the: World) -> Case:
    the.write("sub/token", "from-a-file\n")
    path = the.write("sub/config", the.config(user={"tokenFile": "token"}))
    return Case(flags={"kubeconfig": path})


@CASES.case
def _token_file_over_token(the: World) -> Case:
    the.write("token", "from-a-file\n")
    the.write("config", the.config(user={"tokenFile": "token", "token": "direct"}))
    return Case()


@CASES.case
def _missing_token_file_leaves_the_token(the: World) -> Case:
    the.write("config", the.config(user={"tokenFile": "missing", "token": "direct"}))
    return Case()


@CASES.case
def _missing_token_file(the: World) -> Case:
    the.write("config", the.config(user={"tokenFile": "missing"}))
    return Case(fails=True)


@CASES.case
def _token_flag_and_kubeconfig_token_file(the: World) -> Case:
    the.write("token", "from-a-file\n")
    the.write("config", the.config(user={"tokenFile": "token"}))
    return Case(flags={"token": "from-the-flag"})


@CASES.case
def _basic_login(the: World) -> Case:
    the.write("config", the.config(user={"username": "adä", "password": "p:w"}))
    return Case()


@CASES.case
def _basic_login_and_token(the: World) -> Case:
    the.write("config", the.config(user={"username": "ada", "password": "pw", "token": "t"}))
    return Case(fails=True)


@CASES.case
def _login_in_the_url(the: World) -> Case:
    url = f"https://ada:p%40w@127.0.0.1:{the.secure.port}"
    the.write("config", the.config(the.cluster(server=url)))
    return Case()


@CASES.case
def _no_login_at_all(the: World) -> Case:
    the.write("config", the.config(user={}))
    return Case(fails=True)


@CASES.case
def _user_in_no_file(the: World) -> Case:
    the.write("config", the.config(users=[]))
    return Case(fails=True)


@CASES.case
def _client_certificate_data(the: World) -> Case:
    ada = the.identity()
    user = {"client-certificate-data": b64(ada.certificate), "client-key-data": b64(ada.key)}
    the.write("config", the.config(user=user))
    return Case()


@CASES.case
def _client_certificate_files_relative(the: World) -> Case:
    ada = the.identity()
    the.write("sub/keys/ada.crt", ada.certificate)
    the.write("sub/keys/ada.key", ada.key)
    user = {"client-certificate": "keys/ada.crt", "client-key": "./keys/ada.key"}
    path = the.write("sub/config", the.config(user=user))
    return Case(flags={"kubeconfig": path})


@CASES.case
def _client_certificate_flags_over_data(the: World) -> Case:
    ada, bob = the.identity(), the.identity("bob")
    the.write("bob.crt", bob.certificate)
    the.write("bob.key", bob.key)
    user = {"client-certificate-data": b64(ada.certificate), "client-key-data": b64(ada.key)}
    the.write("config", the.config(user=user))
    return Case(flags={"client_certificate": "bob.crt", "client_key": "bob.key"})


@CASES.case
def _client_certificate_and_token(the: World) -> Case:
    ada = the.identity()
    user = {"client-certificate-data": b64(ada.certificate), "client-key-data": b64(ada.key), "token": "too"}
    the.write("config", the.config(user=user))
    return Case()


@CASES.case
def _client_certificate_without_key(the: World) -> Case:
    the.write("config", the.config(user={"client-certificate-data": b64(the.identity().certificate)}))
    return Case(fails=True)


@CASES.case
def _client_key_of_somebody_else(the: World) -> Case:
    ada, bob = the.identity(), the.identity("bob")
    user = {"client-certificate-data": b64(ada.certificate), "client-key-data": b64(bob.key)}
    the.write("config", the.config(user=user))
    return Case(fails=True)


@CASES.case
def _gcp_auth_provider(the: World) -> Case:
    the.write("config", the.config(user={"auth-provider": {"name": "gcp", "config": {"access-token": "old"}}}))
    return Case(fails=True)


@CASES.case
def _token_with_a_line_break(the: World) -> Case:
    the.write("config", the.config(user={"token": "abc\nX-Evil: 1"}))
    return Case(fails=True)


# In whose name.


@CASES.case
def _impersonation_flags(the: World) -> Case:
    the.write("config", the.config())
    extra = ["scopes=view", "scopes=edit", "example.test/Team & co=a=b", "Ünïcode%=x"]
    flags = {"as_": "bob", "as_groups": ["dev", "ops"], "as_uid": "7", "as_user_extra": extra}
    return Case(flags=flags)


@CASES.case
def _impersonation_in_the_kubeconfig(the: World) -> Case:
    user = {
        "token": "t",
        "as": "bob",
        "as-uid": "7",
        "as-groups": ["dev"],
        "as-user-extra": {"scopes": ["view", "edit"]},
    }
    the.write("config", the.config(user=user))
    return Case()


@CASES.case
def _impersonation_flags_over_the_kubeconfig(the: World) -> Case:
    user = {"token": "t", "as": "bob", "as-groups": ["dev"], "as-user-extra": {"a": ["1"], "b": ["2"]}}
    the.write("config", the.config(user=user))
    return Case(flags={"as_": "system:serviceaccount:x:y", "as_user_extra": ["b=3", "c=4"]})


@CASES.case
def _impersonated_group_without_a_user(the: World) -> Case:
    the.write("config", the.config())
    return Case(flags={"as_groups": ["dev"]}, fails=True)
