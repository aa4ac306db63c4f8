"""Every page."""

from __future__ import annotations

from flask import Blueprint

from approvals.bulk import views as chosen_views
from approvals.conversation import views as conversation_views
from approvals.decisions import views as decision_views
from approvals.delegation import views as delegation_views
from approvals.emergency import views as emergency_views
from approvals.links import views as link_views
from approvals.reassigning import views as reassigning_views
from approvals.standing import views as standing_views
from approvals.timing import views as timing_views
from catalog.access_reviews import views as access_review_views
from catalog.attachments import views as attachment_views
from catalog.auditors import views as auditor_views
from catalog.changes import views as change_views
from catalog.entitlements import views as entitlement_views
from catalog.explaining import views as explain_views
from catalog.explaining.api import views as api_views
from catalog.fulfilment import views as fulfilment_views
from catalog.fulfilment.connectors.acme import views as acme_views
from catalog.fulfilment.connectors.ca import views as pki_views
from catalog.fulfilment.connectors.http import views as automation_views
from catalog.fulfilment.connectors.manual import views as manual_views
from catalog.fulfilment.connectors.ssh import SshAuthority
from catalog.fulfilment.connectors.ssh import views as ssh_views
from catalog.fulfilment.failures import views as failure_views
from catalog.fulfilment.secrets import views as secret_views
from catalog.offerings import views as catalogue_views
from catalog.ordering import views as ordering_views
from catalog.ordering.bulk import views as bulk_views
from catalog.ordering.units import views as unit_views
from catalog.reconciliation import views as reconciliation_views
from catalog.requests import views as request_views
from catalog.versions import views as version_views
from portal.audit import views as ledger_views
from portal.audit.holders import views as holder_views
from portal.identity.absences import views as absence_views
from portal.identity.account import views as account_views
from portal.identity.passkeys import views as passkey_views
from portal.identity.sign_in import views as sign_in_views
from portal.identity.tokens import views as token_views
from portal.notifications import views as mail_views
from portal.web import languages as language_views
from portal.web import views as web_views
from portal.wiring.parts import Portal
from reports.access_reviews import views as access_review_result_views
from reports.audits import views as audit_views
from reports.erasing import views as erasing_views
from reports.evidence import views as evidence_views
from reports.figures import views as figure_views


def blueprints(portal: Portal) -> tuple[Blueprint, ...]:
    """Every page."""
    return (
        web_views.blueprint,
        language_views.blueprint,
        sign_in_views.blueprint,
        account_views.blueprint,
        passkey_views.blueprint,
        token_views.blueprint,
        catalogue_views.blueprint,
        version_views.blueprint,
        request_views.blueprint,
        ordering_views.blueprint,
        bulk_views.blueprint,
        unit_views.blueprint,
        emergency_views.blueprint,
        standing_views.blueprint,
        decision_views.blueprint,
        conversation_views.blueprint,
        reassigning_views.blueprint,
        chosen_views.blueprint,
        link_views.blueprint,
        delegation_views.blueprint,
        timing_views.blueprint,
        absence_views.blueprint,
        mail_views.blueprint,
        fulfilment_views.blueprint,
        failure_views.blueprint,
        manual_views.blueprint,
        automation_views.blueprint,
        secret_views.blueprint,
        attachment_views.blueprint,
        entitlement_views.blueprint,
        access_review_views.blueprint,
        reconciliation_views.blueprint,
        explain_views.blueprint,
        api_views.blueprint,
        change_views.blueprint,
        access_review_result_views.blueprint,
        evidence_views.blueprint,
        figure_views.blueprint,
        audit_views.blueprint,
        erasing_views.blueprint,
        ledger_views.blueprint,
        auditor_views.blueprint,
        holder_views.blueprint,
        pki_views.blueprint(portal.authority),
        acme_views.blueprint(portal.settings.acme_folder),
        ssh_views.blueprint(SshAuthority(portal.settings.ssh_folder)),
    )
